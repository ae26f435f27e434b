package import NIOCore
package import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ServerBootstrap {
    /// Listens at the address; all interfaces are one socket for IPv4 and IPv6, or for IPv4 alone where that is all there is.
    ///
    /// - Precondition: The group is one loop, and this is called on it.
    package func bind(to address: ListenAddress) -> EventLoopFuture<any Channel> {
        if let host = address.host { return bind(host: host, port: address.port) }
        let first = bind(host: "::", port: address.port)
        return first.assumeIsolated().flatMapError { error in
            let code = (error as? IOError)?.errnoCode
            guard code == EAFNOSUPPORT || code == EADDRNOTAVAIL else { return first.eventLoop.makeFailedFuture(error) }
            return self.bind(host: "0.0.0.0", port: address.port)
        }.nonisolated()
    }
}
