import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ListenAddress {
    /// Why nothing can listen here, and what would help.
    package func explanation(ofFailedBind error: any Error) -> String {
        guard let code = (error as? IOError)?.errnoCode else { return "cannot listen on \(self): \(error)" }
        return switch code {
        case EADDRINUSE:
            "cannot listen on \(self): port \(port) is in use; stop the other program or choose another port"
        case EACCES:
            "cannot listen on \(self): port \(port) is reserved for root; choose one above 1023 or grant CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL:
            "cannot listen on \(self): this machine has no such address"
        default:
            "cannot listen on \(self): \(error)"
        }
    }
}
