import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stands between a client's socket and everything else: sees how much the client takes, and can cut it off.
final class ClientSocketHandler: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Called with each write, before it.
    var onWrite: (() -> Void)?

    private var context: ChannelHandlerContext?
    private var written: UInt64 = 0
    /// As many had been written when all were taken.
    private var allTaken: UInt64 = 0

    /// How many bytes wait here for the client to take them.
    var unsent: Int {
        // Asking the channel is slow, and most clients have taken all there is.
        guard written > allTaken else { return 0 }
        let unsent = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if unsent == 0 { allTaken = written }
        return unsent
    }

    /// How many bytes wait here for the client to take them, and a number that grows while it takes any.
    func progress() -> (unsent: Int, taken: UInt64) {
        let unsent = unsent
        // The system takes more from us only in large steps, many seconds apart if the client is slow. Its
        // acknowledgements say sooner that it takes something.
        guard unsent > 0, let acknowledged else { return (unsent, written - UInt64(unsent)) }
        return (unsent, acknowledged)
    }

    #if os(Linux)
        /// How many bytes the client's system has acknowledged: `tcpi_bytes_acked` of Linux's `struct tcp_info`, at byte 120.
        private var acknowledged: UInt64? {
            typealias Words = InlineArray<16, UInt64>
            var words: Words?
            (context?.channel as? any SocketOptionProvider)?
                .unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
                // Done at once, since this is the channel's loop.
                .assumeIsolated().whenSuccess { (read: Words) in words = read }
            // Kernels before 4.2 leave it 0.
            return words.flatMap { $0[15] == 0 ? nil : $0[15] }
        }
    #else
        private var acknowledged: UInt64? { nil }
    #endif

    /// Closes the connection in peace, but at once: no later handler has a say.
    func cutOff() {
        context?.close(promise: nil)
    }

    /// Closes the connection with a reset, so that the system keeps nothing for a client that does not take it.
    func reset() {
        // Done at once, since this is the channel's loop.
        (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .assumeIsolated().whenComplete { _ in }
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += UInt64(unwrapOutboundIn(data).readableBytes)
        onWrite?()
        context.write(data, promise: promise)
    }
}

@available(*, unavailable)
extension ClientSocketHandler: Sendable {}
