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

    @Test func `handshakes that begin together are spread over turns, and all of them complete`() throws {
        let on = Loop()
        var configuration = certificates.server(.required)
        configuration.handshakeTimeout = .seconds(3600)
        let server = try TLSContext(server: configuration)
        let client = try TLSContext(client: certificates.client("client"))
        let open = try (0..<60).map { _ in try on.greeted(server, client) }
        defer { for (channel, _) in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        var (turns, answered) = (0, 0)
        while on.completed.count < open.count, turns < 1000 {
            let before = answered + on.completed.count
            for (channel, session) in open {
                guard let records = try on.answer(from: channel) else { continue }
                answered += 1
                session.receive(records)
                var last = ByteBuffer()
                #expect(session.handshake(records: &last) == .complete)
                on.deliver(last, to: channel)
            }
            on.loop.advanceTime(by: .milliseconds(1))
            turns += 1
            #expect(answered + on.completed.count - before < 90)
        }
        #expect(turns > 2)
        #expect(answered == open.count && on.completed.count == open.count)
    }

    @Test func `whoever hangs up while it waits costs nothing more`() throws {
        let on = Loop()
        var configuration = certificates.server(.off)
        configuration.handshakeTimeout = .milliseconds(500)
        let server = try TLSContext(server: configuration)
        let client = try TLSContext(client: certificates.client())
        // The turn's time is over.
        on.pace.take {
            let end = NIODeadline.now() + .milliseconds(3)
            while NIODeadline.now() < end {}
        }
        let (leaving, _) = try on.greeted(server, client)
        let (staying, _) = try on.greeted(server, client)
        #expect(try on.answer(from: leaving) == nil)
        #expect(on.pace.waiting == 2)
        leaving.close(promise: nil)
        on.loop.run()
        #expect(on.pace.waiting == 1)
        on.loop.advanceTime(by: .milliseconds(1))
        #expect(try on.answer(from: staying) != nil)
        #expect(on.pace.waiting == 0)
        on.loop.advanceTime(by: .milliseconds(500))
        #expect(!staying.isActive)
    }

    /// What lives on the loop, made in the test itself: an embedded loop belongs to one thread.
    private struct Loop {
        let loop = EmbeddedEventLoop()
        let pace: HandshakePace
        let completed = Completed()

        init() {
            pace = HandshakePace(loop)
        }

        /// A server's end that has got a ClientHello.
        func greeted(_ server: TLSContext, _ client: TLSContext) throws -> (EmbeddedChannel, TLSSession) {
            let channel = EmbeddedChannel(loop: loop)
            try channel.pipeline.syncOperations.addHandlers([TLSHandler(context: server, pace: pace), completed])
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            let session = try TLSSession(client)
            var records = ByteBuffer()
            _ = session.handshake(records: &records)
            deliver(records, to: channel)
            return (channel, session)
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

    /// Counts the handshakes that are complete, of all channels.
    private final class Completed: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var count = 0

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.handshakeCompleted) = event as? TLSUserEvent { count += 1 }
        }
    }
}
