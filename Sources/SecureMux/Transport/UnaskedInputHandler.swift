import NIOCore

/// Keeps what a client's socket brings unasked until somebody reads, and ends the connection when that is too much.
///
/// When a client closes or resets its connection, the channel reads all that the system still has of it, in one turn of
/// the loop and whether or not it was asked to: megabytes, which the later handlers would decrypt and parse while everybody
/// else waits. So this stands right behind the socket, in front of TLS too.
///
/// ```
///  socket ──── asked for ────────────────▶ later handlers
///         ──── unasked ───▶ kept, ≤ limit ─▲ read
///                           beyond it: closed, which ends the channel's reading
/// ```
final class UnaskedInputHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limit: Int
    private var kept = ByteBuffer()
    /// The client has ended its sending, and the later handlers are still to get what it sent before.
    private var isEndKept = false
    /// Somebody has asked to read since the last bytes came.
    private var isAsked = false
    /// The bytes that come until the next `channelReadComplete` were asked for; nil before the first of them.
    private var isReadingAsked: Bool?
    private var isDeliveryScheduled = false

    /// What a client may have sent ahead when it ends its sending but waits for answers.
    static let sentAhead = 64 << 10

    /// Keeps so many bytes: none, where a client that ends its sending is not answered.
    init(limit: Int) {
        self.limit = limit
    }

    func read(context: ChannelHandlerContext) {
        guard kept.readableBytes == 0 else { return scheduleDelivery(context) }
        isAsked = true
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let isReadingAsked = isReadingAsked ?? isAsked
        if self.isReadingAsked == nil { isAsked = false }
        self.isReadingAsked = isReadingAsked
        guard !isReadingAsked else { return context.fireChannelRead(data) }
        keep(unwrapInboundIn(data), context)
    }

    private func keep(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard kept.readableBytes + bytes.readableBytes <= limit else {
            kept = ByteBuffer()
            return context.close(promise: nil)
        }
        // A copy, since the channel's buffer may be much larger.
        kept.writeImmutableBuffer(bytes)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let wasAsked = isReadingAsked ?? true
        isReadingAsked = nil
        if wasAsked { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed, kept.readableBytes > 0 {
            isEndKept = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        kept = ByteBuffer()
        isEndKept = false
        context.fireChannelInactive()
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
        guard kept.readableBytes > 0 else { return }
        let (bytes, isEnd) = (kept, isEndKept)
        (kept, isEndKept) = (ByteBuffer(), false)
        context.fireChannelRead(wrapInboundOut(bytes))
        context.fireChannelReadComplete()
        if isEnd, context.channel.isActive { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }
}

@available(*, unavailable)
extension UnaskedInputHandler: Sendable {}
