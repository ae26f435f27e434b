import MultiplexerCore
import NIOCore
import NIOHTTP1

/// The handlers that turn HTTP into records and back, in the order in which they stand between the network and the rest.
enum HTTPPipeline {
    /// The handlers of a client's channel; none where HTTP is not spoken.
    static func client(speaking spoken: ApplicationProtocol) -> [any ChannelHandler] {
        guard case .http(let limits) = spoken.messages else { return [] }
        let stream = HTTPStream(.head)
        var configuration = HTTPResponseEncoder.Configuration()
        configuration.automaticallySetFramingHeaders = false
        return [
            HTTPHeadGuard(.request, limits: limits, stream: stream),
            HTTPResponseEncoder(configuration: configuration),
            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits.ofDecoder)),
            HTTPClientCodec(limits: limits, stream: stream),
        ]
    }

    /// The handlers of the channel to the device with this address; none where HTTP is not spoken.
    static func device(_ address: String, speaking spoken: ApplicationProtocol) -> [any ChannelHandler] {
        guard case .http(let limits) = spoken.messages else { return [] }
        let stream = HTTPStream(.nothing)
        var configuration = HTTPRequestEncoder.Configuration()
        configuration.automaticallySetFramingHeaders = false
        let decoder = HTTPResponseDecoder(
            informationalResponseStrategy: .forward,
            limitConfiguration: limits.ofDecoder
        )
        return [
            HTTPHeadGuard(.response, limits: limits, stream: stream),
            HTTPRequestEncoder(configuration: configuration),
            ByteToMessageHandler(decoder),
            HTTPDeviceCodec(host: address, limits: limits, stream: stream),
        ]
    }
}

extension HTTPLimits {
    /// The same limits for llhttp, which counts trailer fields too.
    fileprivate var ofDecoder: NIOHTTPDecoderLimitConfiguration {
        var configuration = NIOHTTPDecoderLimitConfiguration()
        configuration.maxHeaderFieldSize = head
        configuration.maxHeaderListSize = head
        configuration.maxHeaderFieldCount = fields
        return configuration
    }
}
