import MultiplexerCore
import NIOCore

/// Closes clients that may not connect, at accept: before a byte is read and before any handshake.
final class AccessHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let clients: AdmittedClients

    init(_ clients: AdmittedClients) {
        self.clients = clients
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let client = unwrapInboundIn(data)
        guard let remote = client.remoteAddress else {
            // Reset before it was accepted.
            client.close(promise: nil)
            return
        }
        guard let address = IPAddress(remote), clients.allows(address) else {
            clients.reports.tell(.notAllowed(client: client.peerName))
            client.close(promise: nil)
            return
        }
        guard clients.admit(client, from: address) else {
            client.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}

@available(*, unavailable)
extension AccessHandler: Sendable {}
