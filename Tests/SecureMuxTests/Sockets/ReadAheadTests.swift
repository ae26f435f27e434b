import NIOCore
import NIOEmbedded
import Testing

@testable import SecureMux

/// What a channel reads without being asked to, as it does when its peer closes or resets the connection.
@Suite struct ReadAheadTests {
    /// What the later handlers get.
    private final class Later: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        var received = ""
        var events: [String] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: unwrapInboundIn(data))
            events.append("read")
            received += text
            if text == "asks" { context.read() }
        }

        func channelReadComplete(context: ChannelHandlerContext) { events.append("complete") }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { events.append("end") }
    }

    private struct Connection {
        let channel = EmbeddedChannel()
        let later = Later()

        init(limit: Int) throws {
            try channel.pipeline.syncOperations.addHandlers(
                ClientSocketHandler(ClientSocket(readAheadLimit: limit)),
                later
            )
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        func bring(_ texts: String...) {
            for text in texts { channel.pipeline.fireChannelRead(ByteBuffer(string: text)) }
            channel.pipeline.fireChannelReadComplete()
        }

        func end() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        func close() { _ = try? channel.finish(acceptAlreadyClosed: true) }
    }

    @Test func `what was asked for is passed on, however much it is`() throws {
        let connection = try Connection(limit: 0)
        defer { connection.close() }
        connection.channel.read()
        connection.bring("one ", "two")
        #expect(connection.later.received == "one two")
        #expect(connection.later.events == ["read", "read", "complete"])
        #expect(connection.channel.isActive)
    }

    @Test func `what comes ahead of a read is buffered until somebody reads, and the end behind it`() throws {
        let connection = try Connection(limit: 8)
        defer { connection.close() }
        connection.channel.read()
        connection.bring("a")
        connection.bring("1234", "567")
        connection.bring("8")
        connection.end()
        #expect(connection.later.events == ["read", "complete"])
        connection.channel.read()
        #expect(connection.later.received == "a", "not inside the call")
        connection.channel.embeddedEventLoop.run()
        #expect(connection.later.received == "a12345678")
        #expect(connection.later.events == ["read", "complete", "read", "complete", "end"])
    }

    @Test func `more than the limit ahead of a read ends the connection`() throws {
        let connection = try Connection(limit: 8)
        defer { connection.close() }
        connection.bring("12345678")
        #expect(connection.channel.isActive)
        connection.bring("9")
        #expect(!connection.channel.isActive)
        #expect(connection.later.received == "")
    }

    @Test func `where nobody is answered after the end the first byte ahead of a read ends the connection`() throws {
        let connection = try Connection(limit: 0)
        defer { connection.close() }
        connection.bring("1")
        #expect(!connection.channel.isActive)
        #expect(connection.later.received == "")
    }

    @Test func `asking while something is read counts for what comes next`() throws {
        let connection = try Connection(limit: 0)
        defer { connection.close() }
        connection.channel.read()
        connection.bring("asks", " one")
        connection.bring(" two")
        #expect(connection.later.received == "asks one two")
        connection.bring(" three")
        #expect(!connection.channel.isActive)
    }

    @Test func `an end with nothing before it is told at once`() throws {
        let connection = try Connection(limit: 8)
        defer { connection.close() }
        connection.end()
        #expect(connection.later.events == ["end"])
    }
}
