import NIOCore
import NIOEmbedded
import NIOTLS
import Testing

@testable import SecureMux

/// A server's handler on a channel whose network is the test; the client is a bare session.
@Suite struct TLSHandlerTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    /// What a later handler sees; asks to read only when told to.
    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        var readsAlways: Bool
        var received = ByteBuffer()
        var events: [String] = []
        var refusals: [TLSRefusal] = []
        var closesOnError = false

        init(readsAlways: Bool) {
            self.readsAlways = readsAlways
        }

        func channelActive(context: ChannelHandlerContext) {
            events.append("active")
            if readsAlways { context.read() }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            events.append("read")
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            events.append("readComplete")
            if readsAlways { context.read() }
        }

        func channelInactive(context: ChannelHandlerContext) {
            events.append("inactive")
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            switch event {
            case let peer as TLSPeerIdentified: events.append("peer \(peer.certificate?.subject ?? "unknown")")
            case let event as TLSUserEvent: events.append(event == .shutdownCompleted ? "end" : "handshake")
            default: events.append("\(event)")
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            events.append("error")
            if let refusal = error as? TLSRefusal { refusals.append(refusal) }
            if closesOnError { context.close(promise: nil) }
        }
    }

    /// A server's channel and the client's session that talks to it.
    private struct Connection {
        let channel = EmbeddedChannel()
        let recorder: Recorder
        let network = CountedReads()
        let handler: TLSHandler
        let client: TLSSession

        init(_ client: TLSClientConfiguration, _ server: TLSServerConfiguration, readsAlways: Bool = true) throws {
            recorder = Recorder(readsAlways: readsAlways)
            handler = try TLSHandler(context: TLSContext(server: server))
            self.client = try TLSSession(TLSContext(client: client))
            try channel.pipeline.syncOperations.addHandlers(network, handler, recorder)
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        }

        /// What the server has sent since the last call.
        func takeRecords() throws -> ByteBuffer {
            var records = ByteBuffer()
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
                records.writeImmutableBuffer(buffer)
            }
            return records
        }

        func deliver(_ records: ByteBuffer) {
            channel.pipeline.fireChannelRead(records)
            channel.pipeline.fireChannelReadComplete()
        }

        /// Leaves the client's last flight undelivered.
        func almostShakeHands() throws -> ByteBuffer {
            var records = ByteBuffer()
            _ = client.handshake(records: &records)
            deliver(records)
            client.receive(try takeRecords())
            records = ByteBuffer()
            #expect(client.handshake(records: &records) == .complete)
            return records
        }

        func shakeHands() throws {
            try deliver(almostShakeHands())
        }

        func encrypted(_ text: String) -> ByteBuffer {
            var records = ByteBuffer()
            #expect(client.encrypt(ByteBuffer(string: text), records: &records) == .complete)
            return records
        }

        /// What the client makes of everything the server has sent.
        func decrypted() throws -> (String, TLSSession.Step) {
            client.receive(try takeRecords())
            var plaintext = ByteBuffer()
            var records = ByteBuffer()
            let step = client.decrypt(into: &plaintext, records: &records)
            return (String(buffer: plaintext), step)
        }

        /// The client's side is gone.
        func hangUp() throws {
            try channel.pipeline.syncOperations.context(handler: network).close(promise: nil)
        }

        func close() {
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }

    private func connection(
        _ certificate: String? = "client",
        readsAlways: Bool = true,
        _ change: (inout TLSServerConfiguration) -> Void = { _ in }
    ) throws -> Connection {
        var server = certificates.server(.required)
        change(&server)
        return try Connection(certificates.client(certificate), server, readsAlways: readsAlways)
    }

    // MARK: Handshake

    @Test func `later handlers learn who the peer is, then that the handshake is complete`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        #expect(
            connection.recorder.events == ["active", "peer CN=client,O=tcp-multiplexer development", "handshake"]
        )
    }

    @Test func `a handler added to an active channel starts at once`() throws {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        let handler = TLSHandler(context: try TLSContext(client: certificates.client()))
        try channel.pipeline.syncOperations.addHandler(handler)
        #expect(try channel.readOutbound(as: ByteBuffer.self)?.recordLengths.map(\.type) == [0x16])
    }

    @Test func `a handshake in single bytes completes`() throws {
        let connection = try connection()
        defer { connection.close() }
        var records = ByteBuffer()
        _ = connection.client.handshake(records: &records)
        for byte in records.readableBytesView { connection.deliver(ByteBuffer(bytes: [byte])) }
        connection.client.receive(try connection.takeRecords())
        records = ByteBuffer()
        #expect(connection.client.handshake(records: &records) == .complete)
        records.writeImmutableBuffer(connection.encrypted("hello"))
        for byte in records.readableBytesView { connection.deliver(ByteBuffer(bytes: [byte])) }
        #expect(String(buffer: connection.recorder.received) == "hello")
    }

    @Test func `a request that comes with the end of the handshake is delivered at once`() throws {
        let connection = try connection()
        defer { connection.close() }
        var records = try connection.almostShakeHands()
        records.writeImmutableBuffer(connection.encrypted("early"))
        connection.deliver(records)
        #expect(String(buffer: connection.recorder.received) == "early")
        #expect(connection.recorder.events.suffix(3) == ["handshake", "read", "readComplete"])
    }

    @Test func `nothing reaches later handlers before the certificate is verified`() throws {
        let connection = try connection("client-expired")
        defer { connection.close() }
        var records = try connection.almostShakeHands()
        records.writeImmutableBuffer(connection.encrypted("early"))
        connection.deliver(records)
        #expect(connection.recorder.received.readableBytes == 0)
        #expect(connection.recorder.refusals.map(\.kind) == [.certificateExpired])
        #expect(!connection.recorder.events.contains("handshake"))
    }

    // MARK: Refusals

    @Test func `a refused client sees the alert, later handlers one error and then the end`() throws {
        let connection = try connection(nil)
        defer { connection.close() }
        try connection.shakeHands()
        #expect(connection.recorder.refusals.map(\.kind) == [.noCertificate])
        #expect(connection.recorder.events == ["active", "error", "inactive"])
        #expect(try connection.decrypted().1.refusal?.kind == .noCertificate)
    }

    @Test func `a later handler may close a refused channel`() throws {
        let connection = try connection(nil)
        defer { connection.close() }
        connection.recorder.closesOnError = true
        try connection.shakeHands()
        #expect(connection.recorder.events == ["active", "error", "inactive"])
        #expect(try connection.decrypted().1.refusal?.kind == .noCertificate)
    }

    @Test func `plain Modbus is refused without an answer`() throws {
        let connection = try connection()
        defer { connection.close() }
        connection.deliver(ByteBuffer(bytes: [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]))
        #expect(connection.recorder.refusals.map(\.kind) == [.plainModbus])
        #expect(try connection.takeRecords().readableBytes == 0)
        #expect(!connection.channel.isActive)
    }

    @Test func `a client that sends nothing is refused in time`() throws {
        let connection = try connection { $0.handshakeTimeout = .seconds(3) }
        defer { connection.close() }
        connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(2999))
        #expect(connection.recorder.refusals == [])
        connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(connection.recorder.refusals.map(\.kind) == [.timedOut])
        #expect(connection.recorder.refusals.first?.reason == "the client connected and sent nothing for 3s")
        #expect(!connection.channel.isActive)
    }

    @Test func `a client that keeps sending a little is refused in time all the same`() throws {
        let connection = try connection { $0.handshakeTimeout = .seconds(3) }
        defer { connection.close() }
        var records = ByteBuffer()
        _ = connection.client.handshake(records: &records)
        for byte in records.readableBytesView.prefix(40) {
            connection.deliver(ByteBuffer(bytes: [byte]))
            connection.channel.embeddedEventLoop.advanceTime(by: .milliseconds(100))
        }
        #expect(connection.recorder.refusals.map(\.kind) == [.timedOut])
        #expect(
            connection.recorder.refusals.first?.reason == "the client did not complete the TLS handshake within 3s"
        )
    }

    @Test func `a complete handshake stops the clock`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        connection.channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(connection.recorder.refusals == [])
        #expect(connection.channel.isActive)
    }

    @Test(arguments: [false, true])
    func `a client that hangs up in the handshake is a refusal`(hasSent: Bool) throws {
        let connection = try connection()
        defer { connection.close() }
        if hasSent { connection.deliver(ByteBuffer(bytes: [0x16, 3])) }
        try connection.hangUp()
        #expect(connection.recorder.refusals.map(\.kind) == [.hungUp])
        #expect(connection.recorder.refusals.first?.reason.contains("without sending a byte") == !hasSent)
        #expect(connection.recorder.events == ["active", "error", "inactive"])
    }

    @Test(arguments: [false, true])
    func `a client whose first byte is none of TLS speaks no TLS, however it ends`(isTimeUp: Bool) throws {
        let connection = try connection { $0.handshakeTimeout = .seconds(3) }
        defer { connection.close() }
        connection.deliver(ByteBuffer(bytes: [0, 1]))
        if isTimeUp {
            connection.channel.embeddedEventLoop.advanceTime(by: .seconds(3))
        } else {
            try connection.hangUp()
        }
        #expect(connection.recorder.refusals.map(\.kind) == [.notTLS])
        #expect(connection.recorder.refusals.first?.reason == "the client does not speak TLS (its first bytes: 00 01)")
    }

    @Test func `half a closed connection in the handshake is a refusal too`() throws {
        let connection = try connection()
        defer { connection.close() }
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.recorder.refusals.map(\.kind) == [.hungUp])
        #expect(!connection.channel.isActive)
    }

    @Test func `a reset in the handshake is one refusal`() throws {
        let connection = try connection()
        defer { connection.close() }
        connection.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        #expect(connection.recorder.refusals.map(\.kind) == [.hungUp])
        #expect(connection.recorder.events == ["active", "error", "inactive"])
    }

    @Test func `damaged bytes after the handshake are a refusal`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        var damaged = connection.encrypted("a request")
        damaged.setInteger(UInt8(0), at: damaged.writerIndex - 1)
        damaged.setInteger(UInt8(1), at: damaged.writerIndex - 2)
        connection.deliver(damaged)
        #expect(connection.recorder.refusals.map(\.kind) == [.protocolViolation])
        #expect(connection.recorder.received.readableBytes == 0)
        #expect(try connection.decrypted().1.refusal?.kind == .rejected)
    }

    @Test(arguments: [1, 512, 120_000])
    func `a hello that is too large is refused with an alert, whatever has come of it`(at once: Int) throws {
        let connection = try connection()
        defer { connection.close() }
        let bytes: [UInt8] = [0x16, 3, 1, 0x40, 0, 1, 1, 0xFF, 0] + Array(repeating: 0, count: 120_000)
        for start in stride(from: 0, to: bytes.count, by: once) where connection.channel.isActive {
            connection.deliver(ByteBuffer(bytes: bytes[start..<min(start + once, bytes.count)]))
        }
        #expect(connection.recorder.refusals.map(\.kind) == [.messageTooLarge])
        #expect(connection.recorder.refusals.first?.reason.hasSuffix("with a hello of more than 16 KiB") == true)
        #expect(try Array(connection.takeRecords().readableBytesView) == [0x15, 3, 3, 0, 2, 2, 47])
    }

    @Test func `a hello with another record in its middle is refused`() throws {
        let connection = try connection()
        defer { connection.close() }
        var records = ByteBuffer()
        _ = connection.client.handshake(records: &records)
        let part = records.readableBytesView.dropFirst(5).prefix(2)
        // A warning, over which OpenSSL would pass, and wait for the rest.
        connection.deliver(ByteBuffer(bytes: [0x16, 3, 1, 0, 2] + part + [0x15, 3, 1, 0, 2, 1, 113]))
        #expect(connection.recorder.refusals.map(\.kind) == [.protocolViolation])
        #expect(!connection.channel.isActive)
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3], [Array("GET / HTTP/1.1".utf8), [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1]])
    func `what is no TLS behind a handshake is called so`(version: TLSVersion, bytes: [UInt8]) throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        #expect(pair.handshake() == (.complete, .complete))
        pair.server.receive(ByteBuffer(bytes: bytes))
        var (plaintext, records) = (ByteBuffer(), ByteBuffer())
        let refusal = pair.server.decrypt(into: &plaintext, records: &records).refusal
        #expect(refusal?.kind == .notTLS)
        #expect(refusal?.reason == "the client sent something that is not TLS behind a complete handshake")
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3], [0, 1, 3] as [UInt8])
    func `an alert counts in whatever version of a record it comes`(version: TLSVersion, minor: UInt8) throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        var records = ByteBuffer()
        _ = pair.client.handshake(records: &records)
        pair.server.receive(records)
        var answer = ByteBuffer()
        #expect(pair.server.handshake(records: &answer) == .needsInput)
        pair.server.receive(ByteBuffer(bytes: [0x15, 3, minor, 0, 2, 2, 48]))
        let refusal = pair.server.handshake(records: &answer).refusal
        #expect(refusal?.reason == "the client does not trust our certificate (TLS alert 48, unknown CA)")
    }

    // MARK: Reading

    @Test func `what nobody asked to read is not delivered, and the network rests`() throws {
        let connection = try connection(readsAlways: false)
        defer { connection.close() }
        var records = try connection.almostShakeHands()
        records.writeImmutableBuffer(connection.encrypted("one "))
        connection.deliver(records)
        let reads = connection.network.reads
        #expect(reads > 0, "the handshake reads by itself")
        connection.deliver(connection.encrypted("two"))
        connection.channel.embeddedEventLoop.run()
        #expect(connection.recorder.received.readableBytes == 0)
        #expect(connection.network.reads == reads)

        connection.channel.read()
        #expect(connection.recorder.received.readableBytes == 0, "not inside the call")
        connection.channel.embeddedEventLoop.run()
        #expect(String(buffer: connection.recorder.received) == "one two")
        #expect(connection.recorder.events.suffix(2) == ["read", "readComplete"])
        #expect(connection.network.reads == reads)

        connection.channel.read()
        #expect(connection.network.reads == reads + 1)
        connection.deliver(connection.encrypted("!"))
        #expect(String(buffer: connection.recorder.received) == "one two!")
        #expect(connection.network.reads == reads + 1)
    }

    @Test func `one read delivers once, and reads on while a record is incomplete`() throws {
        let connection = try connection(readsAlways: false)
        defer { connection.close() }
        try connection.shakeHands()
        let reads = connection.network.reads
        connection.channel.read()
        #expect(connection.network.reads == reads + 1)
        var records = connection.encrypted("a request")
        let firstPart = records.readSlice(length: 7) ?? ByteBuffer()
        connection.deliver(firstPart)
        #expect(connection.network.reads == reads + 2)
        connection.deliver(records)
        #expect(String(buffer: connection.recorder.received) == "a request")
        #expect(connection.network.reads == reads + 2)
        connection.deliver(connection.encrypted("another"))
        #expect(String(buffer: connection.recorder.received) == "a request")
    }

    @Test func `buffers of one network read are delivered together`() throws {
        let connection = try connection(readsAlways: false)
        defer { connection.close() }
        try connection.shakeHands()
        connection.channel.read()
        connection.channel.pipeline.fireChannelRead(connection.encrypted("one "))
        connection.channel.pipeline.fireChannelRead(connection.encrypted("two"))
        connection.channel.pipeline.fireChannelReadComplete()
        #expect(String(buffer: connection.recorder.received) == "one two")
        #expect(connection.recorder.events.suffix(3) == ["read", "read", "readComplete"])
    }

    // MARK: Writing

    @Test func `writes before the handshake wait for it and keep their order`() throws {
        let connection = try connection()
        defer { connection.close() }
        var completed: [Int] = []
        func write(_ text: String, _ number: Int) {
            let promise = connection.channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { completed.append(number) }
            connection.channel.write(ByteBuffer(string: text), promise: promise)
        }
        write("one ", 1)
        write("", 2)
        write("two", 3)
        connection.channel.flush()
        #expect(try connection.takeRecords().readableBytes == 0)
        #expect(completed == [])
        try connection.shakeHands()
        #expect(completed == [1, 2, 3])
        #expect(try connection.decrypted().0 == "one two")
    }

    @Test func `promises are kept in the order of the writes, empty ones too`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        var completed: [Int] = []
        for (number, text) in ["", "one ", "", "two"].enumerated() {
            let promise = connection.channel.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { completed.append(number) }
            connection.channel.write(ByteBuffer(string: text), promise: promise)
        }
        #expect(completed == [])
        connection.channel.flush()
        #expect(completed == [0, 1, 2, 3])
        #expect(try connection.decrypted().0 == "one two")
    }

    @Test func `writes that cannot be sent any more fail`() throws {
        let connection = try connection(nil)
        defer { connection.close() }
        let waiting = connection.channel.writeAndFlush(ByteBuffer(string: "never"))
        try connection.shakeHands()
        #expect {
            try waiting.wait()
        } throws: {
            ($0 as? TLSRefusal)?.kind == .noCertificate
        }
        #expect(throws: ChannelError.self) {
            try connection.channel.writeAndFlush(ByteBuffer(string: "never")).wait()
        }
    }

    // MARK: The end

    @Test func `a client's close_notify is answered after its last bytes are delivered`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        var records = connection.encrypted("last words")
        connection.client.shutdown(records: &records)
        connection.deliver(records)
        #expect(String(buffer: connection.recorder.received) == "last words")
        #expect(connection.recorder.events.suffix(4) == ["read", "readComplete", "end", "inactive"])
        #expect(connection.recorder.refusals == [])
        #expect(try connection.decrypted().1 == .closed)
    }

    @Test func `an end without close_notify is told apart`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        connection.deliver(connection.encrypted("last words"))
        try connection.hangUp()
        #expect(connection.recorder.events.suffix(3) == ["read", "readComplete", "inactive"])
        #expect(connection.recorder.refusals == [])
    }

    @Test func `a client that closes its side only is answered with close_notify`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.recorder.events.last == "inactive")
        #expect(try connection.decrypted().1 == .closed)
    }

    @Test func `closing sends what was written, then close_notify`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        connection.channel.write(ByteBuffer(string: "last reply"), promise: nil)
        let closed = connection.channel.close()
        try closed.wait()
        let (text, step) = try connection.decrypted()
        #expect(text == "last reply")
        #expect(step == .closed)
        #expect(connection.recorder.events.last == "inactive")
    }

    @Test func `closing twice, or before the handshake, is no harm`() throws {
        let connection = try connection()
        defer { connection.close() }
        try connection.shakeHands()
        try connection.channel.close().wait()
        #expect(throws: ChannelError.self) { try connection.channel.close().wait() }

        let other = try self.connection()
        defer { other.close() }
        let waiting = other.channel.writeAndFlush(ByteBuffer(string: "never"))
        try other.channel.close().wait()
        #expect(throws: ChannelError.self) { try waiting.wait() }
        #expect(other.recorder.events == ["active", "inactive"])
    }

    @Test func `nothing is left of a connection that is over`() throws {
        weak var handler: TLSHandler?
        weak var session: TLSSession?
        do {
            let connection = try connection()
            handler = connection.handler
            session = connection.client
            try connection.shakeHands()
            connection.deliver(connection.encrypted("a request"))
            connection.close()
        }
        #expect(handler == nil)
        #expect(session == nil)
    }

    @Test func `handlers that share their buffers do not mix their bytes`() throws {
        let scratch = TLSScratch()
        let context = try TLSContext(server: certificates.server())
        var pairs: [(EmbeddedChannel, TLSSession)] = []
        for _ in 0..<3 {
            let channel = EmbeddedChannel(handler: TLSHandler(context: context, scratch: scratch))
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            pairs.append((channel, try TLSSession(TLSContext(client: certificates.client()))))
        }
        defer { for (channel, _) in pairs { _ = try? channel.finish(acceptAlreadyClosed: true) } }
        for _ in 0..<2 {
            for (channel, client) in pairs {
                var records = ByteBuffer()
                _ = client.handshake(records: &records)
                channel.pipeline.fireChannelRead(records)
                channel.pipeline.fireChannelReadComplete()
            }
            for (channel, client) in pairs {
                while let records = try channel.readOutbound(as: ByteBuffer.self) { client.receive(records) }
            }
        }
        for (index, (channel, _)) in pairs.enumerated() {
            channel.write(ByteBuffer(string: "reply \(index)"), promise: nil)
        }
        for (channel, _) in pairs { channel.flush() }
        for (index, (channel, client)) in pairs.enumerated() {
            while let records = try channel.readOutbound(as: ByteBuffer.self) { client.receive(records) }
            var plaintext = ByteBuffer()
            var records = ByteBuffer()
            #expect(client.decrypt(into: &plaintext, records: &records) == .needsInput)
            #expect(String(buffer: plaintext) == "reply \(index)")
        }
    }
}
