import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension ClientBootstrap {
    /// Has the system find out within half a minute that the other side is gone, and forget the connection then.
    ///
    /// By itself it asks after two hours, and sends what is not acknowledged for a quarter of an hour (tcp(7)): long after we
    /// gave the connection up it would still speak to a device that takes one connection only.
    func findingDeadPeers() -> ClientBootstrap {
        let alive = channelOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            return
                alive
                // Seconds without a byte, and between the questions; how many of those.
                .channelOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: 15)
                .channelOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 5)
                .channelOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: 3)
                // Milliseconds in which what was sent has to be acknowledged (RFC 5482).
                .channelOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: 30_000)
        #else
            return alive
        #endif
    }
}
