import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Stands between a client's socket and everything else: sees what it brings and how much the client takes, and can cut it
/// off.
///
/// ``ClientHandler`` calls it directly where nothing stands between them, since each handler that an event passes costs as
/// much as reading a request.
final class ClientSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Called when the client does not take at once what is written.
    var onUntaken: (() -> Void)?
    /// Whether the client takes what is written, but for a little.
    private(set) var isWritable = true

    private var context: ChannelHandlerContext?
    private var input: UnaskedInput
    private var isDeliveryScheduled = false

    private var direct: DirectSocket?
    /// Written and not yet flushed: one buffer may go to the socket directly.
    private var unflushed: ByteBuffer?

    private var written: UInt64 = 0

    /// A handler that keeps so many bytes that its socket brings unasked.
    init(unaskedLimit: Int) {
        input = UnaskedInput(limit: unaskedLimit)
    }

    /// How many bytes wait here for the client to take them.
    var unsent: Int {
        direct?.unsent ?? 0
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

    func channelActive(context: ChannelHandlerContext) {
        direct = DirectSocket(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        direct = nil
        input.clear()
        context.fireChannelInactive()
    }
}

// MARK: - What the client sends

extension ClientSocketHandler {
    /// Asks for what the client sends next.
    func read() {
        if let context { read(context: context) }
    }

    func read(context: ChannelHandlerContext) {
        if input.asks() { context.read() } else { scheduleDelivery(context) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch input.take(unwrapInboundIn(data)) {
        case .passed: context.fireChannelRead(data)
        case .kept: break
        case .refused: context.close(promise: nil)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if input.complete() { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed, !input.end() { return }
        context.fireUserInboundEventTriggered(event)
    }

    /// In the next turn: whoever calls `read` expects no `channelRead` before it returns.
    private func scheduleDelivery(_ context: ChannelHandlerContext) {
        guard !isDeliveryScheduled else { return }
        isDeliveryScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isDeliveryScheduled = false
            self.deliver(context)
        }
    }

    private func deliver(_ context: ChannelHandlerContext) {
        guard let (bytes, isEnd) = input.deliver() else { return }
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        if isEnd, context.channel.isActive { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }
}

// MARK: - What the client gets

extension ClientSocketHandler {
    /// Writes to the client.
    func send(_ bytes: [UInt8]) {
        guard let context else { return }
        written += UInt64(bytes.count)
        let sent = bytes.withUnsafeBytes { direct?.send($0) ?? 0 }
        if sent < bytes.count { queueRest(ByteBuffer(bytes: bytes[sent...]), context) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        written += UInt64(bytes.readableBytes)
        if promise == nil, unflushed == nil, unsent == 0 {
            unflushed = bytes
        } else {
            queueUnflushed(context)
            queue(bytes, promise, context)
        }
    }

    func flush(context: ChannelHandlerContext) {
        if let bytes = unflushed {
            unflushed = nil
            let sent = bytes.withUnsafeReadableBytes { direct?.send($0) ?? 0 }
            if sent < bytes.readableBytes { queueRest(bytes.dropping(sent), context) }
        } else {
            context.flush()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        context.fireChannelWritabilityChanged()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        queueUnflushed(context)
        context.close(mode: mode, promise: promise)
    }

    private func queueRest(_ rest: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(rest), promise: nil)
        onUntaken?()
    }

    private func queueUnflushed(_ context: ChannelHandlerContext) {
        guard let bytes = unflushed else { return }
        unflushed = nil
        queue(bytes, nil, context)
    }

    private func queue(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        direct?.willQueue()
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}

@available(*, unavailable)
extension ClientSocketHandler: Sendable {}

extension ByteBuffer {
    /// What stands behind so many bytes.
    func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}
