import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Channel {
    /// Acknowledges what has come now, not up to 40 ms later in the hope of data that could carry the acknowledgement.
    ///
    /// A peer with Nagle's algorithm sends nothing small before. Linux only, tcp(7): elsewhere it does nothing.
    func acknowledgeNow() {
        #if os(Linux)
            // Done at once, since this is the channel's loop.
            (self as? any SocketOptionProvider)?
                .unsafeSetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_QUICKACK), value: CInt(1))
                .assumeIsolated().whenComplete { _ in }
        #endif
    }
}
