import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import SecureMux

/// Many handshakes on one loop.
@Suite struct HandshakePaceTests {
    private let loop = EmbeddedEventLoop()
    private let pace: HandshakePace
    private let completed = Completed()
    private let certificates: DevelopmentCertificates

    /// Counts the handshakes that are complete, of all channels.
    private final class Completed: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var count = 0

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case .some(.handshakeCompleted) = event as? TLSUserEvent { count += 1 }
        }
    }

    init() async throws {
        certificates = try await .made()
        pace = HandshakePace(loop)
    }

    /// A server's end that has got a ClientHello.
    private func greeted(_ server: TLSContext, _ client: TLSContext) throws -> (EmbeddedChannel, TLSSession) {
        let channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers([TLSHandler(context: server, pace: pace), completed])
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        let session = try TLSSession(client)
        var records = ByteBuffer()
        _ = session.handshake(records: &records)
        deliver(records, to: channel)
        return (channel, session)
    }

    private func deliver(_ records: ByteBuffer, to channel: EmbeddedChannel) {
        channel.pipeline.fireChannelRead(records)
        channel.pipeline.fireChannelReadComplete()
    }

    private func answer(from channel: EmbeddedChannel) throws -> ByteBuffer? {
        var records: ByteBuffer?
        while let part = try channel.readOutbound(as: ByteBuffer.self) {
            records = records ?? ByteBuffer()
            records?.writeImmutableBuffer(part)
        }
        return records
    }

    @Test func `handshakes that begin together are spread over turns, and all of them complete`() throws {
        var configuration = certificates.server(.required)
        configuration.handshakeTimeout = .seconds(3600)
        let server = try TLSContext(server: configuration)
        let client = try TLSContext(client: certificates.client("client"))
        let open = try (0..<60).map { _ in try greeted(server, client) }
        defer { for (channel, _) in open { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        var (turns, answered) = (0, 0)
        while completed.count < open.count, turns < 1000 {
            let before = answered + completed.count
            for (channel, session) in open {
                guard let records = try answer(from: channel) else { continue }
                answered += 1
                session.receive(records)
                var last = ByteBuffer()
                #expect(session.handshake(records: &last) == .complete)
                deliver(last, to: channel)
            }
            loop.advanceTime(by: .milliseconds(1))
            turns += 1
            #expect(answered + completed.count - before < 90)
        }
        #expect(turns > 2)
        #expect(answered == open.count && completed.count == open.count)
    }

    @Test func `whoever hangs up while it waits costs nothing more`() throws {
        var configuration = certificates.server(.off)
        configuration.handshakeTimeout = .milliseconds(500)
        let server = try TLSContext(server: configuration)
        let client = try TLSContext(client: certificates.client())
        // The turn's time is over.
        pace.take {
            let end = NIODeadline.now() + .milliseconds(3)
            while NIODeadline.now() < end {}
        }
        let (leaving, _) = try greeted(server, client)
        let (staying, _) = try greeted(server, client)
        #expect(try answer(from: leaving) == nil)
        #expect(pace.waiting == 2)
        leaving.close(promise: nil)
        loop.run()
        #expect(pace.waiting == 1)
        loop.advanceTime(by: .milliseconds(1))
        #expect(try answer(from: staying) != nil)
        #expect(pace.waiting == 0)
        loop.advanceTime(by: .milliseconds(500))
        #expect(!staying.isActive)
    }
}
