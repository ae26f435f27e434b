import NIOCore
import NIOPosix

@testable import SecureMux

/// One end of a TCP connection as a test plays it: bytes out, bytes in, the end of the stream; each wait is bounded.
final class TestPeer: Sendable {
    let channel: any Channel
    private let received: NIOLoopBound<Received>

    private init(_ channel: any Channel, _ received: NIOLoopBound<Received>) {
        self.channel = channel
        self.received = received
    }

    /// Connects from `source`, speaking TLS if there is a context for it.
    ///
    /// Without `reads` nothing is read, and the system takes no more than a little for it.
    static func connect(
        to port: Int,
        host: String = "127.0.0.1",
        from source: String? = nil,
        tls: TLSContext? = nil,
        reads: Bool = true
    ) async throws -> TestPeer {
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
        if let source { bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0)) }
        if !reads {
            bootstrap = bootstrap.channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
        }
        return
            try await bootstrap
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(TLSHandler(context: tls)) }
                    return try TestPeer.adopt(channel)
                }
            }
    }

    /// Makes a fresh channel a peer; to be called on its loop.
    static func adopt(_ channel: any Channel) throws -> TestPeer {
        let received = Received(channel.eventLoop)
        try channel.pipeline.syncOperations.addHandler(received)
        return TestPeer(channel, NIOLoopBound(received, eventLoop: channel.eventLoop))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Waits for `count` bytes.
    func receive(_ count: Int, within limit: TimeAmount = .seconds(10)) async throws -> [UInt8] {
        try await wait(within: limit) { $0.bytes.count >= count ? $0.take(count) : nil }
    }

    /// Waits for a whole Modbus/TCP frame.
    func receiveFrame(within limit: TimeAmount = .seconds(10)) async throws -> [UInt8] {
        let header = try await receive(6, within: limit)
        return header + (try await receive(Int(header[4]) << 8 | Int(header[5]), within: limit))
    }

    /// Waits for the other side to close, and returns what came before.
    func receiveToEnd(within limit: TimeAmount = .seconds(10)) async throws -> [UInt8] {
        try await wait(within: limit) { $0.hasEnded ? $0.take($0.bytes.count) : nil }
    }

    /// Sends a request and waits for its response.
    func exchange(_ request: [UInt8]) async throws -> [UInt8] {
        try await send(request)
        return try await receiveFrame()
    }

    func close() async throws {
        try await channel.close()
    }

    private func wait<Result: Sendable>(
        within limit: TimeAmount,
        for condition: @escaping @Sendable (Received) -> Result?
    ) async throws -> Result {
        let received = received
        return try await channel.eventLoop.flatSubmit { received.value.wait(within: limit, for: condition) }.get()
    }

    private final class Received: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var bytes: [UInt8] = []
        var hasEnded = false { didSet { tellWaiter() } }

        private let eventLoop: any EventLoop
        /// Looks again; says whether it has what it waits for.
        private var waiter: (() -> Bool)?

        init(_ eventLoop: any EventLoop) {
            self.eventLoop = eventLoop
        }

        func wait<Result: Sendable>(
            within limit: TimeAmount,
            for condition: @escaping (Received) -> Result?
        ) -> EventLoopFuture<Result> {
            let promise = eventLoop.makePromise(of: Result.self)
            let timeout = eventLoop.assumeIsolated().scheduleTask(in: limit) {
                self.waiter = nil
                promise.fail(TestTimeout())
            }
            waiter = {
                guard let result = condition(self) else { return false }
                timeout.cancel()
                promise.succeed(result)
                return true
            }
            tellWaiter()
            return promise.futureResult
        }

        private func tellWaiter() {
            guard let waiter, waiter() else { return }
            self.waiter = nil
        }

        func take(_ count: Int) -> [UInt8] {
            defer { bytes.removeFirst(count) }
            return Array(bytes.prefix(count))
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView)
            tellWaiter()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { hasEnded = true }
        }

        func channelInactive(context: ChannelHandlerContext) {
            hasEnded = true
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            hasEnded = true
            context.close(promise: nil)
        }
    }
}

struct TestTimeout: Error {}
