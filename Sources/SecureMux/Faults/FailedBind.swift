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
        "cannot listen on \(self): \(words(for: error))"
    }

    private func words(for error: any Error) -> String {
        if let error = error as? SocketAddressError.UnknownHost {
            return
                "the name '\(error.host)' cannot be looked up (\(error.errorDescription)); give an address of this machine"
        }
        guard let error = error as? IOError else { return "\(error)" }
        return switch error.errnoCode {
        case EADDRINUSE: "port \(port) is in use; stop the other program or choose another port"
        case EACCES: "port \(port) is reserved for root; choose one above 1023 or grant CAP_NET_BIND_SERVICE"
        case EADDRNOTAVAIL: "this machine has no such address"
        default: error.words
        }
    }
}
