import NIOCore
import NIOTLS

/// Puts a client's session after the handlers that make something else of its bytes: TLS, HTTP.
final class ClientHandler: ChannelInboundHandler, ClientPort {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: ClientSession
    /// Whether the client may send requests only when its TLS handshake is complete.
    private let awaitsHandshake: Bool
    private var context: ChannelHandlerContext?
    private let output: ReusedBuffer

    /// A handler that puts what it writes into `output` first, which may be that of many.
    init(_ session: ClientSession, awaitsHandshake: Bool, output: ReusedBuffer) {
        self.session = session
        self.awaitsHandshake = awaitsHandshake
        self.output = output
    }

    func read() { context?.read() }

    func write(_ frame: [UInt8]) {
        context?.writeAndFlush(wrapOutboundOut(output.filled(with: frame)), promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        session.stand(at: self, in: context.channel)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        session.standNowhere()
    }

    func channelActive(context: ChannelHandlerContext) {
        if awaitsHandshake { context.read() } else { session.join() }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { session.receive(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { session.completeReading() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        session.writabilityChanged()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let peer as TLSPeerIdentified: session.identify(peer)
        case let event as TLSUserEvent:
            if case .handshakeCompleted = event { session.joinOverTLS() }
        case let event as ChannelEvent where event == .inputClosed: session.endInput()
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        session.disconnected()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { session.failed(error) }
}

@available(*, unavailable)
extension ClientHandler: Sendable {}
