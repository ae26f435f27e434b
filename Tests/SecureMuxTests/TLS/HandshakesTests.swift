import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import SecureMux

/// Many handshakes on one loop, whose steps the test takes.
@Suite struct HandshakesTests {
    private let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `while a step is taken the loop does something else, and the handshake goes on when it is back`() throws
    {
        let on = Loop()
        let (server, client) = try contexts(.required)
        let (channel, session) = try on.greeted(server, client)
        #expect(try on.answer(from: channel) == nil && on.steps.count == 1)
        on.runSteps(1)
        let last = try #require(try on.lastFlight(of: session, to: channel))
        on.deliver(last, to: channel)
        #expect(on.completed.count == 0)
        on.runSteps(1)
        #expect(on.completed.count == 1)
        _ = try channel.finish()
    }

    @Test func `a session that is needed no more is freed where its steps were taken`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (channel, session) = try on.greeted(server, client)
        on.runSteps(1)
        on.deliver(try #require(try on.lastFlight(of: session, to: channel)), to: channel)
        on.runSteps(1)
        #expect(on.completed.count == 1 && on.runner.freed == 0)
        _ = try channel.finish()
        on.loop.run()
        #expect(on.runner.freed == 1)
    }

    @Test func `as many steps are taken at a time as there are threads, and all handshakes complete`() throws {
        let on = Loop(width: 2)
        let (server, client) = try contexts(.required)
        let open = try (0..<20).map { _ in try on.greeted(server, client) }
        defer { for (channel, _) in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        #expect(on.steps.count == 2 && on.handshakes.waitingCount == 18)
        for _ in 0..<2 * open.count {
            #expect(on.steps.count <= 2)
            on.runSteps(1)
            for (channel, session) in open {
                if let last = try on.lastFlight(of: session, to: channel) { on.deliver(last, to: channel) }
            }
        }
        #expect(on.completed.count == open.count && on.handshakes.underWay == 0)
    }

    @Test func `nothing is read while a step is taken, and what comes all the same is kept for the next`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (channel, session) = try on.greeted(server, client)
        on.runSteps(1)
        let last = try #require(try on.lastFlight(of: session, to: channel))
        var request = ByteBuffer()
        #expect(session.encrypt(ByteBuffer(string: "request"), records: &request) == .complete)
        channel.read()
        let cut = try #require(last.getSlice(at: 0, length: 20))
        let rest = try #require(last.getSlice(at: 20, length: last.readableBytes - 20))
        on.deliver(cut, to: channel)
        let reads = on.completed.reads
        on.deliver(rest, to: channel)
        on.runSteps(1)
        on.deliver(request, to: channel)
        #expect(on.completed.reads == reads)
        on.runSteps(1)
        #expect(on.completed.count == 1)
        #expect(on.completed.received == "request")
        _ = try channel.finish()
    }

    @Test func `the step of a client that has left meanwhile brings nothing`() throws {
        let on = Loop(width: 1)
        let (server, client) = try contexts(.off)
        let (leaving, _) = try on.greeted(server, client)
        let (staying, _) = try on.greeted(server, client)
        leaving.close(promise: nil)
        on.loop.run()
        #expect(on.handshakes.underWay == 1, "its session is not back")
        on.runSteps(1)
        #expect(try on.answer(from: leaving) == nil)
        on.runSteps(1)
        #expect(try on.answer(from: staying) != nil)
        _ = try staying.finish(acceptAlreadyClosed: true)
        #expect(on.handshakes.underWay == 0)
    }

    @Test func `a session is freed when its step is back, not before`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (channel, _) = try on.greeted(server, client)
        on.runSteps(1)
        #expect(try on.answer(from: channel) != nil)
        on.deliver(ByteBuffer(bytes: [0x14, 3, 3, 0, 1, 1]), to: channel)
        weak let session = try #require(on.steps.first?.session)
        channel.close(promise: nil)
        on.loop.run()
        #expect(session != nil)
        on.runSteps(1)
        #expect(session == nil)
    }

    @Test func `a handshake whose time is over during a step is refused at once`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off, timeout: .milliseconds(500))
        let (channel, _) = try on.greeted(server, client)
        on.loop.advanceTime(by: .milliseconds(500))
        #expect(on.refused.map(\.kind) == [.timedOut])
        on.runSteps(1)
        #expect(on.refused.count == 1 && on.completed.count == 0)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test(arguments: [false, true])
    func `the alert of a client that has ended its sending is looked at`(_ hasTurn: Bool) throws {
        let on = Loop(width: 1)
        let (server, _) = try contexts(.off)
        let stranger = try TLSContext(client: certificates.client(serverName: "elsewhere"))
        let (channel, session) = try on.greeted(server, stranger)
        on.runSteps(1)
        session.receive(try #require(try on.answer(from: channel)))
        var alert = ByteBuffer()
        guard case .failed = session.handshake(records: &alert) else {
            Issue.record("the client trusts us")
            return
        }
        let other = hasTurn ? nil : try on.greeted(server, stranger).0
        on.deliver(alert, to: channel)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        on.runSteps(2)
        #expect(on.refused.map(\.kind) == [.certificateRejected])
        #expect(!channel.isActive)
        for channel in [channel, other] { _ = try? channel?.finish(acceptAlreadyClosed: true) }
    }

    @Test func `a client that ends its sending before its handshake is complete has hung up`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (channel, _) = try on.greeted(server, client)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        on.runSteps(1)
        #expect(on.refused == [.hungUp(.server(.off), heardFrom: true)])
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func `whoever hangs up while it waits costs nothing more`() throws {
        let on = Loop(width: 1)
        let (server, client) = try contexts(.off, timeout: .milliseconds(500))
        let (first, _) = try on.greeted(server, client)
        let (leaving, _) = try on.greeted(server, client)
        let (staying, _) = try on.greeted(server, client)
        #expect(on.handshakes.waitingCount == 2)
        leaving.close(promise: nil)
        on.loop.run()
        #expect(on.handshakes.waitingCount == 1)
        on.runSteps(2)
        #expect(try on.answer(from: first) != nil)
        #expect(try on.answer(from: staying) != nil)
        #expect(on.handshakes.waitingCount == 0 && on.steps.isEmpty)
        on.loop.advanceTime(by: .milliseconds(500))
        #expect(!staying.isActive)
    }

    @Test func `a client of another address gets its turn before a crowd`() throws {
        let on = Loop(width: 1)
        let (server, client) = try contexts(.off)
        let crowd = try (0..<10).map { _ in try on.greeted(server, client, from: "10.0.0.1").0 }
        let (other, _) = try on.greeted(server, client, from: "10.0.0.2")
        defer { for channel in crowd + [other] { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        on.runSteps(3)
        #expect(try on.answer(from: other) != nil)
        #expect(try crowd.count { try on.answer(from: $0) != nil } == 2)
    }

    @Test func `no more handshakes are under way than there is room for, and one that had its time makes room`() throws
    {
        let on = Loop(places: 3)
        let (server, client) = try contexts(.off)
        let open = try (0..<5).map { _ in try on.greeted(server, client).0 }
        defer { for channel in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        on.runSteps(5)
        on.loop.advanceTime(by: Handshakes.time - .milliseconds(100))
        #expect(on.handshakes.underWay == 3 && on.handshakes.waitingCount == 2)
        #expect(try open.map { try on.answer(from: $0) != nil } == [true, true, true, false, false])
        on.loop.advanceTime(by: .milliseconds(200))
        on.runSteps(5)
        #expect(on.refused.map(\.kind) == [.crowdedOut, .crowdedOut])
        #expect(!open[0].isActive && !open[1].isActive)
        #expect(try open[3...].map { try on.answer(from: $0) != nil } == [true, true])
        #expect(on.handshakes.underWay == 3 && on.handshakes.waitingCount == 0)
    }

    @Test func `a handshake that is complete leaves its room to the next`() throws {
        let on = Loop(places: 1)
        let (server, client) = try contexts(.off)
        let (first, session) = try on.greeted(server, client)
        let (second, _) = try on.greeted(server, client)
        defer { for channel in [first, second] { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        on.runSteps(2)
        let last = try #require(try on.lastFlight(of: session, to: first))
        #expect(try on.answer(from: second) == nil)
        on.deliver(last, to: first)
        on.runSteps(2)
        #expect(try on.answer(from: second) != nil)
        #expect(on.completed.count == 1 && on.refused.isEmpty)
    }

    @Test func `incomplete hellos share a memory, and the oldest goes when it is used up`() throws {
        let on = Loop(helloMemory: 32 << 10)
        let (server, _) = try contexts(.off)
        let part = ByteBuffer(bytes: [0x16, 3, 1, 0x3F, 0, 1, 0, 0x3E, 0xFC] + [UInt8](repeating: 0, count: 8192))
        var open: [EmbeddedChannel] = []
        defer { for channel in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        for _ in 0..<5 {
            let channel = try on.connected(server)
            on.deliver(part, to: channel)
            open.append(channel)
        }
        #expect(on.handshakes.reservedMemory <= 32 << 10)
        #expect(open.map(\.isActive) == [false, false, false, true, true])
        #expect(on.refused.count { $0.kind == .crowdedOut } == 3)
        #expect(on.handshakes.underWay == 0)
        for channel in open { _ = try? channel.finish(acceptAlreadyClosed: true) }
        #expect(on.handshakes.reservedMemory == 0)
    }

    private func contexts(
        _ clientCertificates: ClientCertificates,
        timeout: Duration = .seconds(3600)
    ) throws -> (server: TLSContext, client: TLSContext) {
        var configuration = certificates.server(clientCertificates)
        configuration.handshakeTimeout = timeout
        return (
            try TLSContext(server: configuration),
            try TLSContext(client: certificates.client(clientCertificates == .required ? "client" : nil))
        )
    }

    /// What lives on the loop, made in the test itself: an embedded loop belongs to one thread.
    private struct Loop {
        let loop = EmbeddedEventLoop()
        let runner: Hand
        let handshakes: Handshakes
        let completed = Completed()

        init(width: Int = 4, places: Int = Handshakes.places, helloMemory: Int = Handshakes.helloMemory) {
            runner = Hand(width: width)
            handshakes = Handshakes(loop, runner: runner, places: places, helloMemory: helloMemory)
        }

        /// Why clients were sent away.
        var refused: [TLSRefusal] { completed.refusals }

        /// The steps that are being taken.
        var steps: [HandshakeStep] { runner.steps.map(\.step) }

        /// Runs `count` steps to their end, or all if there are less.
        func runSteps(_ count: Int) {
            for _ in 0..<count where !runner.steps.isEmpty {
                let (step, finished) = runner.steps.removeFirst()
                step.run()
                finished()
                loop.run()
            }
        }

        /// A server's end that has got nothing yet.
        func connected(_ server: TLSContext, from address: String = "127.0.0.1") throws -> EmbeddedChannel {
            let channel = EmbeddedChannel(loop: loop)
            try channel.pipeline.syncOperations.addHandlers([
                completed.network, TLSHandler(context: server, handshakes: handshakes), completed,
            ])
            channel.connect(to: try SocketAddress(ipAddress: address, port: 1), promise: nil)
            return channel
        }

        /// A server's end that has got a ClientHello.
        func greeted(
            _ server: TLSContext,
            _ client: TLSContext,
            from address: String = "127.0.0.1"
        ) throws -> (EmbeddedChannel, TLSSession) {
            let channel = try connected(server, from: address)
            let session = try TLSSession(client)
            var records = ByteBuffer()
            _ = session.handshake(records: &records)
            deliver(records, to: channel)
            return (channel, session)
        }

        /// What the client says to the server's answer; nil without one.
        func lastFlight(of session: TLSSession, to channel: EmbeddedChannel) throws -> ByteBuffer? {
            guard let records = try answer(from: channel) else { return nil }
            session.receive(records)
            var last = ByteBuffer()
            #expect(session.handshake(records: &last) == .complete)
            return last
        }

        func deliver(_ records: ByteBuffer, to channel: EmbeddedChannel) {
            channel.pipeline.fireChannelRead(records)
            channel.pipeline.fireChannelReadComplete()
        }

        func answer(from channel: EmbeddedChannel) throws -> ByteBuffer? {
            var records: ByteBuffer?
            while let part = try channel.readOutbound(as: ByteBuffer.self) {
                records = records ?? ByteBuffer()
                records?.writeImmutableBuffer(part)
            }
            return records
        }
    }

    /// Keeps steps until the test takes them.
    private final class Hand: HandshakeRunner {
        let width: Int
        var steps: [(step: HandshakeStep, finished: @Sendable () -> Void)] = []

        init(width: Int) { self.width = width }

        func run(_ step: HandshakeStep, finished: @escaping @Sendable () -> Void) { steps.append((step, finished)) }

        private(set) var freed = 0

        func free(_ steps: [HandshakeStep]) { freed += steps.count }
    }

    /// Counts the handshakes that are complete, of all channels, and the reads that reach the network.
    private final class Completed: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let network = CountedReads()
        var count = 0
        var received = ""
        var refusals: [TLSRefusal] = []

        var reads: Int { network.reads }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let refusal = error as? TLSRefusal { refusals.append(refusal) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.handshakeCompleted) = event as? TLSUserEvent { count += 1 }
        }
    }
}
