import Logging
import MultiplexerCore
import NIOCore

/// Closes clients from addresses that are not allowed, at accept: before a byte is read and before any handshake.
final class AccessHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let allowList: AllowList
    private let logger: Logger

    init(_ allowList: AllowList, logger: Logger) {
        self.allowList = allowList
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let client = unwrapInboundIn(data)
        guard let remote = client.remoteAddress else {
            // Reset before it was accepted.
            client.close(promise: nil)
            return
        }
        guard let address = IPAddress(remote), allowList.allows(address) else {
            logger.warning(
                "client refused",
                metadata: [
                    "client": "\(client.peerName)",
                    "reason": "its address is not on the allow-list",
                    "remedy": "add it with --allow if it may connect",
                ]
            )
            client.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}
