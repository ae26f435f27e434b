import MultiplexerCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SecureMux

/// The HTTP part of a client's pipeline, between bytes that the test sends and records that it answers.
final class ClientPipeline {
    let channel = EmbeddedChannel()
    private let edge = Edge()
    private let tail = Tail()

    init(limits: HTTPLimits = HTTPLimits()) throws {
        try channel.pipeline.syncOperations.addHandlers([edge] + HTTPPipeline.client(speaking: .http(limits)) + [tail])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    // Its handlers and it hold each other.
    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// Lets the client send this, in pieces that each come with a read of their own.
    func send(_ pieces: [[UInt8]]) {
        for piece in pieces {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            channel.pipeline.fireChannelReadComplete()
        }
    }

    func send(_ text: String) { send([Array(text.utf8)]) }

    /// Lets the client close its sending side.
    func endInput() {
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    /// The requests that have become records since the last call.
    func requests() throws -> [HTTPRequestRecord] {
        defer { tail.frames = [] }
        return try tail.frames.map { try #require(HTTPRequestRecord($0)) }
    }

    func respond(_ record: HTTPResponseRecord) { respond(record.frame) }

    func respond(_ frame: ByteBuffer) { channel.writeAndFlush(frame, promise: nil) }

    /// Tells the client that its request failed.
    func fail(_ failure: Failure) {
        let request: [UInt8] = []
        var message: [UInt8] = []
        _ = HTTPMessageRules().respond(toFailed: request.span, failure, into: &message)
        var frame: [UInt8] = []
        HTTPRecordFraming().seal(message.span, transactionID: 0, into: &frame)
        respond(ByteBuffer(bytes: frame))
    }

    /// What the client has got since the last call.
    func output() -> String { String(decoding: outputBytes(), as: UTF8.self) }

    func outputBytes() -> [UInt8] { channel.drainedOutput() }

    /// Whether our side of the connection is closed.
    var isHalfClosed: Bool { edge.isHalfClosed }
    var errors: [any Error] { tail.errors }
    var hasEndedInput: Bool { tail.hasEndedInput }
}

/// The HTTP part of the pipeline to the device.
final class DevicePipeline {
    let channel = EmbeddedChannel()
    private let edge = Edge()
    private let tail = Tail()

    init(limits: HTTPLimits = HTTPLimits()) throws {
        try channel.pipeline.syncOperations.addHandlers(
            [edge] + HTTPPipeline.device("device.test:80", speaking: .http(limits)) + [tail]
        )
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    // Its handlers and it hold each other.
    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    func request(_ record: HTTPRequestRecord) { request(record.frame) }

    func request(_ frame: ByteBuffer) { channel.writeAndFlush(frame, promise: nil) }

    /// Asks for something and throws away what the device gets of it.
    func ask(_ method: HTTPMethod = .GET) {
        request(HTTPRequestRecord(method: method, target: "/", headers: ["Host": "a"]))
        _ = output()
    }

    /// Lets the device send this, each piece with a read of its own.
    func send(_ pieces: [[UInt8]]) {
        for piece in pieces {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            channel.pipeline.fireChannelReadComplete()
            channel.embeddedEventLoop.run()
        }
    }

    func send(_ text: String) { send([Array(text.utf8)]) }

    /// Lets the device close the connection.
    func endInput() { channel.pipeline.fireChannelInactive() }

    /// The responses that have become records since the last call.
    func responses() throws -> [HTTPResponseRecord] { try frames().map { try #require(HTTPResponseRecord($0)) } }

    func frames() -> [ByteBuffer] {
        defer { tail.frames = [] }
        return tail.frames
    }

    /// What the device has got since the last call.
    func output() -> String { String(decoding: outputBytes(), as: UTF8.self) }

    func outputBytes() -> [UInt8] { channel.drainedOutput() }

    /// What was said to be wrong with the device.
    var complaints: [String] { tail.errors.map { "\($0)" } }
}

/// Stands for the socket: an embedded channel cannot close one side only.
private final class Edge: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var isHalfClosed = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        isHalfClosed = true
        promise?.succeed()
    }
}

/// Stands for the handler that deals with records.
private final class Tail: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var frames: [ByteBuffer] = []
    var errors: [any Error] = []
    var hasEndedInput = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { frames.append(unwrapInboundIn(data)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { errors.append(error) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { hasEndedInput = true }
    }
}

extension EmbeddedChannel {
    fileprivate func drainedOutput() -> [UInt8] {
        var output = ByteBuffer()
        while let part = try? readOutbound(as: IOData.self) {
            if case .byteBuffer(var bytes) = part { output.writeBuffer(&bytes) }
        }
        return Array(output.readableBytesView)
    }
}

/// Every way to cut a stream in two, the stream in one piece and the stream in single bytes.
func waysToCut(_ text: String) -> [[[UInt8]]] {
    let bytes = Array(text.utf8)
    return [[bytes], bytes.map { [$0] }] + bytes.indices.dropFirst().map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
}
