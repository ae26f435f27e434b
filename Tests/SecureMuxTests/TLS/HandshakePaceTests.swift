import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import SecureMux

/// Many handshakes on one loop.
@Suite struct HandshakePaceTests {
    private let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `handshakes that begin together go on one step at a time, with a pause between, and all complete`()
        throws
    {
        let on = Loop()
        let (server, client) = try contexts(.required)
        let open = try (0..<20).map { _ in try on.greeted(server, client) }
        defer { for (channel, _) in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        var answered = 0
        for taken in 1...2 * open.count {
            for (channel, session) in open {
                guard let last = try on.lastFlight(of: session, to: channel) else { continue }
                answered += 1
                on.deliver(last, to: channel)
            }
            #expect(answered + on.completed.count == taken)
            on.loop.advanceTime(by: HandshakePace.pause)
        }
        #expect(answered == open.count && on.completed.count == open.count)
    }

    @Test func `a handshake that comes alone does not wait`() throws {
        let on = Loop()
        let (server, client) = try contexts(.required)
        let (channel, session) = try on.greeted(server, client)
        let last = try #require(try on.lastFlight(of: session, to: channel))
        on.loop.advanceTime(by: HandshakePace.pause)
        on.deliver(last, to: channel)
        #expect(on.completed.count == 1)
        _ = try channel.finish()
    }

    @Test func `while a client waits for an answer, handshakes wait too, but not for long`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (asking, session) = try on.established(server, client)
        var request = ByteBuffer()
        #expect(session.encrypt(ByteBuffer(string: "request"), records: &request) == .complete)
        asking.pipeline.fireChannelRead(request)

        let (first, _) = try on.greeted(server, client)
        let (second, _) = try on.greeted(server, client)
        let (third, _) = try on.greeted(server, client)
        #expect(try on.answer(from: first) != nil, "no step was just taken")
        #expect(try on.pauses(untilAnswerFrom: second) == HandshakePace.mostPauses + 1)

        asking.writeAndFlush(ByteBuffer(string: "answer"), promise: nil)
        #expect(try on.pauses(untilAnswerFrom: third) == 1)
        for channel in [asking, first, second, third] { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `for a slow device handshakes wait less and less, until it has answered`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (asking, session) = try on.established(server, client)
        func ask() throws {
            var request = ByteBuffer()
            #expect(session.encrypt(ByteBuffer(string: "request"), records: &request) == .complete)
            asking.pipeline.fireChannelRead(request)
            asking.pipeline.fireChannelReadComplete()
            asking.read()
        }
        try ask()
        let open = try (0..<10).map { _ in try on.greeted(server, client).0 }
        let most = HandshakePace.mostPauses
        let pauses = [most, most / 2, most / 4, most / 8, most / 16, most / 32, 0].map { $0 + 1 }
        #expect(try open[1...7].map { try on.pauses(untilAnswerFrom: $0) } == pauses)

        asking.writeAndFlush(ByteBuffer(string: "answer"), promise: nil)
        try ask()
        #expect(try open[8...9].map { try on.pauses(untilAnswerFrom: $0) } == [1, most + 1])
        for channel in open + [asking] { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `nobody waits for the first answer of a client that has just come`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (asking, session) = try on.greeted(server, client)
        let last = try #require(try on.lastFlight(of: session, to: asking))
        on.loop.advanceTime(by: HandshakePace.pause)
        on.deliver(last, to: asking)
        asking.read()
        var request = ByteBuffer()
        #expect(session.encrypt(ByteBuffer(string: "request"), records: &request) == .complete)
        on.deliver(request, to: asking)

        let (first, _) = try on.greeted(server, client)
        #expect(try on.pauses(untilAnswerFrom: first) <= 1)
        let (second, _) = try on.greeted(server, client)
        #expect(try on.pauses(untilAnswerFrom: second) <= 1)
        for channel in [asking, first, second] { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test(arguments: [false, true])
    func `nobody waits for the answer to a client that has left`(_ isRefused: Bool) throws {
        let on = Loop()
        let (server, client) = try contexts(.off)
        let (asking, session) = try on.established(server, client)
        var request = ByteBuffer()
        #expect(session.encrypt(ByteBuffer(string: "request"), records: &request) == .complete)
        asking.pipeline.fireChannelRead(request)
        if isRefused {
            asking.pipeline.fireChannelRead(ByteBuffer(string: "no record of TLS"))
        } else {
            asking.close(promise: nil)
        }

        let (first, _) = try on.greeted(server, client)
        let (second, _) = try on.greeted(server, client)
        on.loop.advanceTime(by: HandshakePace.pause)
        #expect(try on.answer(from: second) != nil)
        for channel in [asking, first, second] { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `whoever hangs up while it waits costs nothing more`() throws {
        let on = Loop()
        let (server, client) = try contexts(.off, timeout: .milliseconds(500))
        let (first, _) = try on.greeted(server, client)
        let (leaving, _) = try on.greeted(server, client)
        let (staying, _) = try on.greeted(server, client)
        #expect(try on.answer(from: first) != nil)
        #expect(try on.answer(from: leaving) == nil)
        #expect(on.pace.waiting == 2)
        leaving.close(promise: nil)
        on.loop.run()
        #expect(on.pace.waiting == 1)
        on.loop.advanceTime(by: HandshakePace.pause)
        #expect(try on.answer(from: staying) != nil)
        #expect(on.pace.waiting == 0)
        on.loop.advanceTime(by: .milliseconds(500))
        #expect(!staying.isActive)
    }

    @Test func `no more handshakes are under way than there is room for, and one that had its time makes room`() throws
    {
        let on = Loop(places: 3)
        let (server, client) = try contexts(.off)
        let open = try (0..<5).map { _ in try on.greeted(server, client).0 }
        defer { for channel in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        on.loop.advanceTime(by: HandshakePace.time - .milliseconds(100))
        #expect(on.pace.underWay == 3 && on.pace.waiting == 2)
        #expect(try open.map { try on.answer(from: $0) != nil } == [true, true, true, false, false])
        on.loop.advanceTime(by: .milliseconds(200))
        #expect(on.refused.map(\.kind) == [.crowdedOut, .crowdedOut])
        #expect(!open[0].isActive && !open[1].isActive)
        #expect(try open[3...].map { try on.answer(from: $0) != nil } == [true, true])
        #expect(on.pace.underWay == 3 && on.pace.waiting == 0)
    }

    @Test func `a handshake that is complete leaves its room to the next`() throws {
        let on = Loop(places: 1)
        let (server, client) = try contexts(.off)
        let (first, session) = try on.greeted(server, client)
        let (second, _) = try on.greeted(server, client)
        defer { for channel in [first, second] { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        let last = try #require(try on.lastFlight(of: session, to: first))
        on.loop.advanceTime(by: HandshakePace.pause)
        #expect(try on.answer(from: second) == nil)
        on.deliver(last, to: first)
        #expect(try on.pauses(untilAnswerFrom: second) <= 2)
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
        #expect(on.pace.heldMemory <= 32 << 10)
        #expect(open.map(\.isActive) == [false, false, false, true, true])
        #expect(on.refused.count { $0.kind == .crowdedOut } == 3)
        #expect(on.pace.underWay == 0)
        for channel in open { _ = try? channel.finish(acceptAlreadyClosed: true) }
        #expect(on.pace.heldMemory == 0)
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
        let pace: HandshakePace
        let completed = Completed()

        init(places: Int = HandshakePace.places, helloMemory: Int = HandshakePace.helloMemory) {
            pace = HandshakePace(loop, places: places, helloMemory: helloMemory)
        }

        /// Why clients were sent away.
        var refused: [TLSRefusal] { completed.refusals }

        /// A server's end that has got nothing yet.
        func connected(_ server: TLSContext) throws -> EmbeddedChannel {
            let channel = EmbeddedChannel(loop: loop)
            try channel.pipeline.syncOperations.addHandlers([TLSHandler(context: server, pace: pace), completed])
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            return channel
        }

        /// A server's end that has got a ClientHello.
        func greeted(_ server: TLSContext, _ client: TLSContext) throws -> (EmbeddedChannel, TLSSession) {
            let channel = try connected(server)
            let session = try TLSSession(client)
            var records = ByteBuffer()
            _ = session.handshake(records: &records)
            deliver(records, to: channel)
            return (channel, session)
        }

        /// A server's end whose client has completed its handshake and been answered once, after a pause.
        func established(_ server: TLSContext, _ client: TLSContext) throws -> (EmbeddedChannel, TLSSession) {
            let (channel, session) = try greeted(server, client)
            let last = try #require(try lastFlight(of: session, to: channel))
            loop.advanceTime(by: HandshakePace.pause)
            deliver(last, to: channel)
            loop.advanceTime(by: HandshakePace.pause)
            channel.read()
            var request = ByteBuffer()
            #expect(session.encrypt(ByteBuffer(string: "first request"), records: &request) == .complete)
            deliver(request, to: channel)
            channel.writeAndFlush(ByteBuffer(string: "first answer"), promise: nil)
            while let records = try channel.readOutbound(as: ByteBuffer.self) { session.receive(records) }
            channel.read()
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

        /// How many pauses pass before the handshake goes on.
        func pauses(untilAnswerFrom channel: EmbeddedChannel) throws -> Int {
            for pauses in 0..<100 {
                if try answer(from: channel) != nil { return pauses }
                loop.advanceTime(by: HandshakePace.pause)
            }
            return 100
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

    /// Counts the handshakes that are complete, of all channels.
    private final class Completed: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var count = 0
        var refusals: [TLSRefusal] = []

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let refusal = error as? TLSRefusal { refusals.append(refusal) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.handshakeCompleted) = event as? TLSUserEvent { count += 1 }
        }
    }
}
