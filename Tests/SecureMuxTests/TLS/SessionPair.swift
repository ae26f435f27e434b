import COpenSSL
import NIOCore

@testable import SecureMux

/// A client's and a server's session back to back in memory.
struct SessionPair {
    let client: TLSSession
    let server: TLSSession

    init(_ client: TLSClientConfiguration, _ server: TLSServerConfiguration, newest: TLSVersion = .v1_3) throws {
        try self.init(TLSContext(client: client).offering(atMost: newest), TLSContext(server: server))
    }

    init(_ client: TLSContext, _ server: TLSContext) throws {
        self.client = try TLSSession(client)
        self.server = try TLSSession(server)
    }

    /// Goes on with both until neither gets further; the client sees what the server said last.
    func handshake() -> (client: TLSSession.Step, server: TLSSession.Step) {
        var steps = (client: TLSSession.Step.needsInput, server: TLSSession.Step.needsInput)
        for _ in 0..<5 {
            var records = ByteBuffer()
            steps.client = client.handshake(records: &records)
            server.receive(records)
            records = ByteBuffer()
            steps.server = server.handshake(records: &records)
            client.receive(records)
        }
        if steps.client == .complete, client.hasInput {
            var plaintext = ByteBuffer()
            var records = ByteBuffer()
            steps.client = client.decrypt(into: &plaintext, records: &records)
        }
        return steps
    }

    /// What the receiver makes of the bytes that the sender encrypts.
    func send(_ bytes: ByteBuffer, from sender: TLSSession, to receiver: TLSSession) -> (ByteBuffer, TLSSession.Step) {
        var records = ByteBuffer()
        guard sender.encrypt(bytes, records: &records) == .complete else { return (ByteBuffer(), .needsInput) }
        receiver.receive(records)
        var plaintext = ByteBuffer()
        var answer = ByteBuffer()
        let step = receiver.decrypt(into: &plaintext, records: &answer)
        sender.receive(answer)
        return (plaintext, step)
    }
}

extension TLSContext {
    /// The same context, whose sessions offer no newer version; only before its first session.
    func offering(atMost newest: TLSVersion) -> TLSContext {
        let version = newest == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        return self
    }
}

extension TLSSession.Step {
    var refusal: TLSRefusal? {
        if case .failed(let refusal) = self { refusal } else { nil }
    }
}

extension ByteBuffer {
    /// The types and lengths of the TLS records in the buffer.
    var recordLengths: [(type: UInt8, length: Int)] {
        var rest = self
        var records: [(UInt8, Int)] = []
        while let type = rest.readInteger(as: UInt8.self), rest.readInteger(as: UInt16.self) != nil,
            let length = rest.readInteger(as: UInt16.self), rest.readSlice(length: Int(length)) != nil
        {
            records.append((type, Int(length)))
        }
        return records
    }
}
