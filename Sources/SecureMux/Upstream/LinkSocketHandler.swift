import NIOCore

/// Stands between the device's socket and the other handlers: what they write leaves through the link's ``SocketOutput``.
final class LinkSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let link: TCPLink

    init(_ link: TCPLink) {
        self.link = link
    }

    func handlerAdded(context: ChannelHandlerContext) { link.output.attach(context) }

    func handlerRemoved(context: ChannelHandlerContext) { link.output.detach() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Before other handlers keep some of it for a while.
        link.isMidResponse = true
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        link.output.write(unwrapOutboundIn(data), promise)
    }

    func flush(context: ChannelHandlerContext) { link.output.flush() }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        link.output.queueUnflushed()
        context.close(mode: mode, promise: promise)
    }
}

@available(*, unavailable)
extension LinkSocketHandler: Sendable {}
