import NIOCore

/// Stands between the device's socket and the other handlers: what they write leaves through the link's ``SocketOutput``.
final class LinkSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let connection: TCPLink

    init(_ connection: TCPLink) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) { connection.output.attach(context) }

    func handlerRemoved(context: ChannelHandlerContext) { connection.output.detach() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Before other handlers keep some of it for a while.
        connection.isMidResponse = true
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        connection.output.write(unwrapOutboundIn(data), promise)
    }

    func flush(context: ChannelHandlerContext) { connection.output.flush() }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        connection.output.queueUnflushed()
        context.close(mode: mode, promise: promise)
    }
}

@available(*, unavailable)
extension LinkSocketHandler: Sendable {}
