import NIOCore

/// Stands between a client's socket and the handlers that make something else of its bytes: TLS, HTTP.
///
/// Where there are none ``PlainClientHandler`` does this itself, since each handler costs memory for each client and time for
/// each request.
final class ClientSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let socket: ClientSocket

    init(_ socket: ClientSocket) {
        self.socket = socket
    }

    func handlerAdded(context: ChannelHandlerContext) {
        socket.attach(context)
        socket.onReadAhead = { bytes, isEnd in
            context.fireChannelRead(self.wrapInboundOut(bytes))
            context.fireChannelReadComplete()
            if isEnd, context.channel.isActive { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        socket.detach()
    }

    func channelActive(context: ChannelHandlerContext) {
        socket.opened(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket.closed()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if socket.receive(unwrapInboundIn(data)) { context.fireChannelRead(data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if socket.complete() { context.fireChannelReadComplete() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        socket.output.writabilityChanged()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed, !socket.end() { return }
        context.fireUserInboundEventTriggered(event)
    }

    func read(context: ChannelHandlerContext) {
        socket.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        socket.output.write(unwrapOutboundIn(data), promise)
    }

    func flush(context: ChannelHandlerContext) {
        socket.output.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        socket.output.queueUnflushed()
        context.close(mode: mode, promise: promise)
    }
}

@available(*, unavailable)
extension ClientSocketHandler: Sendable {}
