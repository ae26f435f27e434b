import NIOCore
import NIOPosix

/// A client that keeps what it receives until a test asks for it.
final class TestClient: Sendable {
    private let channel: any Channel
    private let chunks: AsyncStream<[UInt8]>

    private init(_ channel: any Channel, _ chunks: AsyncStream<[UInt8]>) {
        self.channel = channel
        self.chunks = chunks
    }

    /// Connects; the bytes, if any, are sent as often as `times` says, from the connection's own loop, where other tests at work
    /// cannot hold them up.
    static func connect(
        to port: Int,
        sending bytes: [UInt8] = [],
        times: Int = 1,
        every pause: Duration = .zero
    ) async throws -> TestClient {
        let (chunks, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        Receiver(continuation) { channel in
                            for number in 0..<times where !bytes.isEmpty {
                                channel.eventLoop.scheduleTask(in: TimeAmount(pause) * number) {
                                    channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
                                }
                            }
                        }
                    )
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestClient(channel, chunks)
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// The next `count` bytes, or fewer when the connection ends before.
    func receive(_ count: Int) async -> [UInt8] {
        var received: [UInt8] = []
        // A new iterator goes on where the last one stopped; chunks are whole answers in these tests.
        var iterator = chunks.makeAsyncIterator()
        while received.count < count, let chunk = await iterator.next() {
            received += chunk
        }
        return received
    }

    func sendAndReceive(_ bytes: [UInt8], _ count: Int) async throws -> [UInt8] {
        try await send(bytes)
        return await receive(count)
    }

    func endOutput() async throws {
        try await channel.close(mode: .output)
    }

    func close() async throws {
        try await channel.close()
    }
}

private final class Receiver: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<[UInt8]>.Continuation
    private let connected: @Sendable (any Channel) -> Void

    init(
        _ continuation: AsyncStream<[UInt8]>.Continuation,
        connected: @escaping @Sendable (any Channel) -> Void
    ) {
        self.continuation = continuation
        self.connected = connected
    }

    func channelActive(context: ChannelHandlerContext) {
        connected(context.channel)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        continuation.yield(Array(unwrapInboundIn(data).readableBytesView))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }
}
