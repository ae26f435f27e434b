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
    package func bind(to address: ListenAddress) async throws -> any Channel {
        if let host = address.host {
            return try await bind(host: host, port: address.port).get()
        }
        do {
            return try await bind(host: "::", port: address.port).get()
        } catch let error as IOError where error.errnoCode == EAFNOSUPPORT || error.errnoCode == EADDRNOTAVAIL {
            return try await bind(host: "0.0.0.0", port: address.port).get()
        }
    }
}
