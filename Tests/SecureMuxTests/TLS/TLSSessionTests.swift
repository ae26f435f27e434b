import COpenSSL
import NIOCore
import Testing

@testable import SecureMux

@Suite struct TLSSessionTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    private func establishedPair(_ version: TLSVersion = .v1_3) throws -> SessionPair {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        let steps = pair.handshake()
        try #require(steps.server == .complete)
        return pair
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `both ends agree on a version and know each other`(version: TLSVersion) throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        let steps = pair.handshake()
        #expect(steps.server == .complete)
        #expect(steps.client.refusal == nil)
        #expect(pair.server.negotiatedVersion == version)
        #expect(pair.client.negotiatedVersion == version)
        #expect(pair.server.peerCertificate?.subject == "CN=client,O=tcp-multiplexer development")
        #expect(pair.client.peerCertificate?.subject == "CN=localhost,O=tcp-multiplexer development")
        let suites = [TLSVersion.v1_2: "ECDHE-ECDSA-AES128-GCM-SHA256", .v1_3: "TLS_AES_128_GCM_SHA256"]
        let suite = SSL_CIPHER_get_name(SSL_get_current_cipher(pair.server.ssl)).map { String(cString: $0) }
        #expect(suite == suites[version])
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `bytes cross unchanged in both directions`(version: TLSVersion) throws {
        let pair = try establishedPair(version)
        let request = ByteBuffer(string: "a request")
        let reply = ByteBuffer(bytes: (0..<1000).map { UInt8(truncatingIfNeeded: $0) })
        #expect(pair.send(request, from: pair.client, to: pair.server).0 == request)
        #expect(pair.send(reply, from: pair.server, to: pair.client).0 == reply)
    }

    @Test func `a large write is received whole`() throws {
        let pair = try establishedPair()
        let bytes = ByteBuffer(bytes: (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        #expect(pair.send(bytes, from: pair.server, to: pair.client).0 == bytes)
    }

    @Test(arguments: [1, 260, 16 << 10])
    func `one reply makes one record`(length: Int) throws {
        let pair = try establishedPair()
        var records = ByteBuffer()
        #expect(pair.server.encrypt(ByteBuffer(repeating: 7, count: length), records: &records) == .complete)
        #expect(records.recordLengths.map(\.type) == [0x17])
        #expect(pair.server.encrypt(ByteBuffer(repeating: 8, count: length), records: &records) == .complete)
        #expect(records.recordLengths.map(\.type) == [0x17, 0x17])
    }

    @Test func `a write of nothing makes no record and no failure`() throws {
        let pair = try establishedPair()
        var records = ByteBuffer()
        #expect(pair.server.encrypt(ByteBuffer(), records: &records) == .complete)
        #expect(records.readableBytes == 0)
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a handshake in single bytes succeeds`(version: TLSVersion) throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        var steps = (client: TLSSession.Step.needsInput, server: TLSSession.Step.needsInput)
        func feed(_ records: ByteBuffer, to session: TLSSession, answers: inout ByteBuffer) -> TLSSession.Step {
            var step = TLSSession.Step.needsInput
            for byte in records.readableBytesView {
                session.receive(ByteBuffer(bytes: [byte]))
                step = session.handshake(records: &answers)
            }
            return step
        }
        var toServer = ByteBuffer()
        steps.client = pair.client.handshake(records: &toServer)
        for _ in 0..<3 where toServer.readableBytes > 0 {
            var toClient = ByteBuffer()
            steps.server = feed(toServer, to: pair.server, answers: &toClient)
            toServer = ByteBuffer()
            steps.client = feed(toClient, to: pair.client, answers: &toServer)
        }
        #expect(steps.server == .complete)
        #expect(pair.client.isEstablished)
    }

    @Test func `a request in the flight that ends the handshake is there at once`() throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required))
        var records = ByteBuffer()
        _ = pair.client.handshake(records: &records)
        pair.server.receive(records)
        records = ByteBuffer()
        _ = pair.server.handshake(records: &records)
        pair.client.receive(records)
        records = ByteBuffer()
        #expect(pair.client.handshake(records: &records) == .complete)
        #expect(pair.client.encrypt(ByteBuffer(string: "early"), records: &records) == .complete)
        pair.server.receive(records)
        records = ByteBuffer()
        var plaintext = ByteBuffer()
        #expect(pair.server.handshake(records: &records) == .complete)
        #expect(pair.server.hasInput)
        #expect(pair.server.decrypt(into: &plaintext, records: &records) == .needsInput)
        #expect(plaintext == ByteBuffer(string: "early"))
    }

    @Test func `no tickets follow a TLS 1.3 handshake`() throws {
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required))
        var records = ByteBuffer()
        for _ in 0..<2 {
            records = ByteBuffer()
            _ = pair.client.handshake(records: &records)
            pair.server.receive(records)
            records = ByteBuffer()
            _ = pair.server.handshake(records: &records)
            pair.client.receive(records)
        }
        #expect(pair.server.isEstablished)
        #expect(records.readableBytes == 0)
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a peer's close_notify comes after its bytes`(version: TLSVersion) throws {
        let pair = try establishedPair(version)
        var records = ByteBuffer()
        #expect(pair.client.encrypt(ByteBuffer(string: "last words"), records: &records) == .complete)
        pair.client.shutdown(records: &records)
        pair.client.shutdown(records: &records)
        #expect(records.recordLengths.count == 2)
        pair.server.receive(records)
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .closed)
        #expect(plaintext == ByteBuffer(string: "last words"))
        pair.server.shutdown(records: &answer)
        #expect(answer.recordLengths.count == 1)
        pair.client.receive(answer)
        #expect(pair.client.decrypt(into: &plaintext, records: &answer) == .closed)
    }

    @Test func `shutdown before the handshake says nothing`() throws {
        let pair = try SessionPair(certificates.client(), certificates.server())
        var records = ByteBuffer()
        pair.server.shutdown(records: &records)
        #expect(records.readableBytes == 0)
    }

    @Test func `damaged bytes are final`() throws {
        let pair = try establishedPair()
        var records = ByteBuffer()
        #expect(pair.client.encrypt(ByteBuffer(string: "a request"), records: &records) == .complete)
        var damaged = records
        damaged.setInteger(UInt8(0xFF) ^ (records.readableBytesView.last ?? 0), at: records.writerIndex - 1)
        pair.server.receive(damaged)
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        let step = pair.server.decrypt(into: &plaintext, records: &answer)
        #expect(step.refusal?.kind == .protocolViolation)
        #expect(answer.readableBytes > 0, "the peer sees the alert")
        pair.server.receive(records)
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == step)
        #expect(pair.server.encrypt(ByteBuffer(string: "x"), records: &answer) == step)
        #expect(plaintext.readableBytes == 0)
        pair.client.receive(answer)
        #expect(pair.client.decrypt(into: &plaintext, records: &records).refusal?.kind == .rejected)
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `what one session leaves in the error queue does not disturb another`(version: TLSVersion) throws {
        func poison() {
            #expect(SSL_CTX_new(nil) == nil)
            #expect(ERR_peek_error() != 0)
        }
        let pair = try SessionPair(certificates.client("client"), certificates.server(.required), newest: version)
        var records = ByteBuffer()
        for _ in 0..<4 {
            poison()
            #expect(pair.client.handshake(records: &records).refusal == nil)
            pair.server.receive(records)
            records = ByteBuffer()
            poison()
            #expect(pair.server.handshake(records: &records).refusal == nil)
            pair.client.receive(records)
            records = ByteBuffer()
        }
        #expect(pair.server.isEstablished)
        // A record in two parts makes the second call stop for want of input.
        #expect(pair.client.encrypt(ByteBuffer(string: "a request"), records: &records) == .complete)
        let firstPart = records.readSlice(length: 9) ?? ByteBuffer()
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        pair.server.receive(firstPart)
        poison()
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .needsInput)
        pair.server.receive(records)
        poison()
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .needsInput)
        #expect(plaintext == ByteBuffer(string: "a request"))
        poison()
        #expect(pair.server.encrypt(ByteBuffer(string: "reply"), records: &answer) == .complete)
        poison()
        pair.server.shutdown(records: &answer)
        #expect(answer.recordLengths.count == 2)
        ERR_clear_error()
    }

    @Test func `a failing session does not disturb another one on its thread`() throws {
        let pair = try establishedPair()
        let failing = try SessionPair(certificates.client("foreign-client"), certificates.server(.required))
        var records = ByteBuffer()
        #expect(pair.client.encrypt(ByteBuffer(string: "a request"), records: &records) == .complete)
        let firstPart = records.readSlice(length: 9) ?? ByteBuffer()
        pair.server.receive(firstPart)
        #expect(failing.handshake().server.refusal != nil)
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .needsInput)
        pair.server.receive(records)
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .needsInput)
        #expect(plaintext == ByteBuffer(string: "a request"))
    }

    @Test func `a key update is followed and answered`() throws {
        let pair = try establishedPair()
        #expect(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        let (request, step) = pair.send(ByteBuffer(string: "new keys"), from: pair.client, to: pair.server)
        #expect(request == ByteBuffer(string: "new keys"))
        #expect(step == .needsInput)
        let (reply, _) = pair.send(ByteBuffer(string: "mine too"), from: pair.server, to: pair.client)
        #expect(reply == ByteBuffer(string: "mine too"))
    }

    @Test func `renegotiation is refused`() throws {
        let context = try TLSContext(client: certificates.client("client")).offering(atMost: .v1_2)
        // SSL_OP_NO_RENEGOTIATION, which the client has as well.
        SSL_CTX_clear_options(context.pointer, 1 << 30)
        let pair = try SessionPair(context, TLSContext(server: certificates.server(.required)))
        try #require(pair.handshake().server == .complete)
        #expect(SSL_renegotiate(pair.client.ssl) == 1)
        var records = ByteBuffer()
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        _ = pair.client.encrypt(ByteBuffer(string: "again"), records: &records)
        pair.server.receive(records)
        #expect(pair.server.decrypt(into: &plaintext, records: &answer) == .needsInput)
        pair.client.receive(answer)
        let refusal = pair.client.decrypt(into: &plaintext, records: &records).refusal
        #expect(refusal?.reason.contains("no renegotiation") == true)
    }
}
