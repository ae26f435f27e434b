import NIOCore
import NIOPosix
import NIOTLS
import Synchronization
import Testing

@testable import SecureMux

/// The handler between real sockets.
@Suite(.timeLimit(.minutes(1))) struct TLSConnectionTests {
    let certificates: DevelopmentCertificates
    let group = MultiThreadedEventLoopGroup.singleton

    init() async throws {
        certificates = try await .made()
    }

    /// Sends back whatever comes, and reads no more while the channel is not writable.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelActive(context: ChannelHandlerContext) {
            context.read()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.write(data, promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            context.flush()
            if context.channel.isWritable { context.read() }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if context.channel.isWritable { context.read() }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }

    /// Keeps what comes until the channel is closed.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        struct Outcome: Sendable {
            var received = ByteBuffer()
            var refusal: TLSRefusal?
            var endedInPeace = false
            var wasReset = false
        }

        private var outcome = Outcome()
        private let promise: EventLoopPromise<Outcome>
        private let closesAfter: Int

        init(_ promise: EventLoopPromise<Outcome>, closesAfter: Int) {
            self.promise = promise
            self.closesAfter = closesAfter
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            outcome.received.writeImmutableBuffer(unwrapInboundIn(data))
            if outcome.received.readableBytes >= closesAfter { context.close(promise: nil) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? TLSUserEvent == .shutdownCompleted { outcome.endedInPeace = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let refusal = error as? TLSRefusal { outcome.refusal = refusal }
            if error is IOError { outcome.wasReset = true }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.succeed(outcome)
        }
    }

    private func serve(
        _ configuration: TLSServerConfiguration,
        halfClosure: Bool = false,
        _ handler: @escaping @Sendable () -> any ChannelHandler
    ) async throws -> any Channel {
        let context = try TLSContext(server: configuration)
        return try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: halfClosure)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: context), handler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    /// Connects a client that sends the bytes, and waits for the end of the connection.
    private func talk(
        to server: any Channel,
        _ configuration: TLSClientConfiguration?,
        sending bytes: ByteBuffer,
        closingAfter count: Int = .max
    ) async throws -> Collector.Outcome {
        let context = try configuration.map { try TLSContext(client: $0) }
        let outcome = group.any().makePromise(of: Collector.Outcome.self)
        let client: any Channel
        do {
            client = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let context { try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context)) }
                        try channel.pipeline.syncOperations.addHandler(Collector(outcome, closesAfter: count))
                    }
                }
                .connect(to: #require(server.localAddress)).get()
        } catch {
            outcome.fail(error)
            throw error
        }
        client.writeAndFlush(bytes, promise: nil)
        return try await outcome.futureResult.get()
    }

    @Test func `a megabyte crosses in both directions through a server that reads only when it can write`() async throws
    {
        let server = try await serve(certificates.server(.required)) { Echo() }
        let bytes = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
        let outcome = try await talk(
            to: server,
            certificates.client("client"),
            sending: bytes,
            closingAfter: bytes.readableBytes
        )
        #expect(outcome.received == bytes)
        #expect(outcome.refusal == nil)
        try await server.close()
    }

    /// Writes a lot as soon as the handshake is complete, and closes at once.
    private final class LastWords: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        static let bytes = ByteBuffer(repeating: 7, count: 20_000_000)

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard event is TLSUserEvent else { return }
            context.writeAndFlush(NIOAny(Self.bytes), promise: nil)
            context.close(promise: nil)
        }
    }

    @Test func `what is written before a close arrives, however slow the network takes it`() async throws {
        var configuration = certificates.server()
        configuration.shutdownTimeout = .seconds(50)
        let server = try await serve(configuration) { LastWords() }
        let outcome = try await talk(to: server, certificates.client(), sending: ByteBuffer())
        #expect(outcome.received == LastWords.bytes)
        #expect(outcome.endedInPeace)
        try await server.close()
    }

    @Test func `a refused client gets its alert, even when it has sent a lot that nobody read`() async throws {
        let server = try await serve(certificates.server(.required)) { Echo() }
        for certificate in [nil, "client-expired"] {
            let bytes = ByteBuffer(repeating: 7, count: 300_000)
            let outcome = try await talk(to: server, certificates.client(certificate), sending: bytes)
            #expect(outcome.refusal?.kind == (certificate == nil ? .noCertificate : .certificateRejected))
            #expect(outcome.received.readableBytes == 0)
        }
        try await server.close()
    }

    @Test func `plain Modbus on the TLS port is not reset, and not answered`() async throws {
        let server = try await serve(certificates.server(.required)) { Echo() }
        var request = ByteBuffer(bytes: [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1])
        request.writeRepeatingByte(0, count: 300_000)
        for _ in 0..<5 {
            let outcome = try await talk(to: server, nil, sending: request)
            #expect(!outcome.wasReset)
            #expect(outcome.received.readableBytes == 0)
        }
        try await server.close()
    }

    @Test func `a refused client may finish what it is sending`() async throws {
        var configuration = certificates.server()
        configuration.shutdownTimeout = .seconds(50)
        let server = try await serve(configuration) { Echo() }
        let client = try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: #require(server.localAddress)).get()
        try await client.writeAndFlush(ByteBuffer(repeating: 0, count: 20_000_000))
        try await client.close()
        try await server.close()
    }

    @Test(arguments: [false, true])
    func `a client that hangs up leaves nothing behind`(halfClosure: Bool) async throws {
        let closed = group.any().makePromise(of: Void.self)
        let context = try TLSContext(server: certificates.server())
        let server = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: halfClosure)
            .childChannelInitializer { channel in
                channel.closeFuture.cascade(to: closed)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: context), Echo())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let client = try await ClientBootstrap(group: group).connect(to: #require(server.localAddress)).get()
        try await client.writeAndFlush(ByteBuffer(bytes: [0x16, 3, 1]))
        try await client.close(mode: .output)
        try await closed.futureResult.get()
        try await client.closeFuture.get()
        try await server.close()
    }

    @Test func `a refused client that never hangs up is closed after the shutdown timeout`() async throws {
        var configuration = certificates.server()
        configuration.shutdownTimeout = .milliseconds(100)
        let server = try await serve(configuration) { Echo() }
        let client = try await ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: #require(server.localAddress)).get()
        try await client.writeAndFlush(ByteBuffer(string: "hello"))
        // The server resets what still comes once it has closed, which ends the client at the latest.
        let ticker = client.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { _ in
            client.writeAndFlush(ByteBuffer(string: "hello"), promise: nil)
        }
        try? await client.closeFuture.get()
        ticker.cancel()
        try await server.close()
    }

    @Test func `a server that is not the one asked for gets no request`() async throws {
        let server = try await serve(certificates.server()) { Echo() }
        let outcome = try await talk(
            to: server,
            certificates.client(serverName: "inverter.example"),
            sending: ByteBuffer(string: "secret")
        )
        #expect(outcome.refusal?.kind == .nameMismatch)
        #expect(outcome.received.readableBytes == 0)
        try await server.close()
    }
}
