import MultiplexerCore
import NIOCore

/// Has a reader tell what the device sent, read by read, and passes it on.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let link: TCPLink
    /// Whether no handler stands between.
    private let isHead: Bool
    private var reader: ResponseReader
    private let carriesTransactionIDs: Bool
    private var unread = FrameBuffer()
    private var hasRead = false
    private var silence: Scheduled<Void>?

    /// After this time without a byte the next one begins a message.
    ///
    /// A serial line needs a few milliseconds; what lies between it and us may hold bytes back for longer.
    private static let leastSilence = TimeAmount.milliseconds(100)

    init(_ link: TCPLink, _ wire: Wire, isHead: Bool) {
        self.link = link
        self.isHead = isHead
        reader = wire.responseReader
        carriesTransactionIDs = wire.carriesTransactionIDs
    }

    /// A request is being sent: what is unread cannot answer it.
    func requestSent() {
        guard !carriesTransactionIDs else { return }
        reader.requestSent(link.awaited, unread: unread.readableBytes)
        link.isMidResponse = false
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if isHead { link.output.attach(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if isHead { link.output.detach() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !reader.hasEnded else { return }
        unread.append(unwrapInboundIn(data))
        hasRead = true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if hasRead { read(context) }
        // A device that sends head and body one by one waits for that, if it has Nagle's algorithm on.
        if link.isMidResponse { context.channel.acknowledgeNow() }
        context.fireChannelReadComplete()
    }

    private func read(_ context: ChannelHandlerContext, isSilent: Bool = false) {
        hasRead = false
        silence?.cancel()
        while !unread.isEmpty,
            let reading = unread.reading(
                by: &reader,
                respondingTo: carriesTransactionIDs ? nil : link.awaited,
                isSilent: isSilent
            )
        {
            switch reading {
            case .message(let length): pass(length)
            case .noise(let length): drop(length)
            case .damage(let damage): fail(damage)
            case .unreadable(let error): close(context, after: error)
            }
        }
        link.isMidResponse = unread.readableBytes > reader.earlyBytes
        guard reader.awaitsSilence else { return }
        silence = context.eventLoop.assumeIsolated().scheduleTask(in: Self.leastSilence) {
            self.read(context, isSilent: true)
        }
    }

    private func pass(_ length: Int) {
        guard let message = unread.cut(length) else { return }
        link.isMidResponse = unread.readableBytes > reader.earlyBytes
        link.received(message)
    }

    private func drop(_ length: Int) {
        unread.cut(length)
        link.receivedNoise(bytes: length)
    }

    private func fail(_ damage: ResponseDamage) {
        unread.clear()
        link.isMidResponse = false
        link.received(damage)
    }

    /// What follows cannot be told apart: only a new connection can be trusted.
    private func close(_ context: ChannelHandlerContext, after error: FramingError) {
        link.failed(UpstreamError.unreadable(error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A read that meets an error has no other end.
        if hasRead { read(context) }
        silence?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        link.failed(error)
        context.close(promise: nil)
    }
}
