import MultiplexerCore
import NIOCore
import NIOEmbedded

/// The handlers of one connection that speaks HTTP, between the bytes of the peer and the records of everything else.
final class HTTPEnd {
    private let channel = EmbeddedChannel()
    private let edge = Edge()
    private let tail = Tail()

    private init(_ handlers: [any ChannelHandler]) throws(Violation) {
        do {
            try channel.pipeline.syncOperations.addHandlers([edge] + handlers + [tail])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        } catch {
            throw Violation("no channel: \(error)")
        }
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// What a client's connection ends in.
    static func client(_ limits: HTTPLimits) throws(Violation) -> HTTPEnd {
        try HTTPEnd(HTTPPipeline.client(speaking: .http(limits)))
    }

    /// What the connection to the device begins with.
    static func device(_ limits: HTTPLimits) throws(Violation) -> HTTPEnd {
        try HTTPEnd(HTTPPipeline.device(host, speaking: .http(limits)))
    }

    /// The device's address.
    static let host = "device.test:80"

    /// The records that have come of what the peer sent.
    var records: [ByteBuffer] { tail.records }
    var errors: [any Error] { tail.errors }
    /// Whether nothing more is sent to the peer.
    var hasEndedOutput: Bool { edge.hasEndedOutput }
    /// Called with each record while it is passed on.
    var onRecord: ((ByteBuffer) -> Void)? {
        get { tail.onRecord }
        set { tail.onRecord = newValue }
    }

    /// The peer sends this.
    func receive(_ bytes: some Sequence<UInt8>) {
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelReadComplete()
        channel.embeddedEventLoop.run()
    }

    /// The peer closes its sending side.
    func receiveEndOfInput() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

    /// The peer closes the connection.
    func disconnect() { channel.pipeline.fireChannelInactive() }

    /// The connection breaks.
    func reset() {
        channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        disconnect()
    }

    func write(_ record: ByteBuffer) { channel.writeAndFlush(record, promise: nil) }

    /// What the peer has got since the last call.
    func takeOutput() -> [UInt8] {
        var output: [UInt8] = []
        while let part = try? channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(let bytes) = part { output += bytes.readableBytesView }
        }
        return output
    }
}

/// Stands for the socket: an embedded channel cannot close one side only.
private final class Edge: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var hasEndedOutput = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        hasEndedOutput = true
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        promise?.succeed()
    }
}

/// Stands for the handler that deals with records.
private final class Tail: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var records: [ByteBuffer] = []
    var errors: [any Error] = []
    var onRecord: ((ByteBuffer) -> Void)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let record = unwrapInboundIn(data)
        records.append(record)
        onRecord?(record)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }
}
