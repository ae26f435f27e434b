import NIOCore

/// Puts a client's session at its socket, where nothing makes something else of its bytes.
///
/// One handler, since each costs memory for each client and time for each request.
final class PlainClientHandler: ChannelInboundHandler, ClientPort {
    typealias InboundIn = ByteBuffer

    private let session: ClientSession
    private let socket: ClientSocket

    init(_ session: ClientSession, at socket: ClientSocket) {
        self.session = session
        self.socket = socket
    }

    func read() { socket.read() }

    func write(_ frame: [UInt8]) { socket.output.send(frame) }

    func handlerAdded(context: ChannelHandlerContext) {
        socket.attach(context)
        session.stand(at: self, in: context.channel)
        socket.onReadAhead = { [session] bytes, isEnd in
            session.receive(bytes)
            session.completeReading()
            if isEnd { session.endInput() }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        session.standNowhere()
        socket.detach()
    }

    func channelActive(context: ChannelHandlerContext) {
        socket.opened(context.channel)
        session.join()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if socket.receive(bytes) { session.receive(bytes) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if socket.complete() { session.completeReading() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        socket.output.writabilityChanged()
        session.writabilityChanged()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            guard socket.end() else { return }
            session.endInput()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket.closed()
        session.disconnected()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { session.failed(error) }
}

@available(*, unavailable)
extension PlainClientHandler: Sendable {}
