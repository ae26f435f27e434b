import NIOCore
import SecureMux

/// What must hold of a server's TLS session, whatever a client sends it.
///
/// ```
///  input:  what the server wants of clients | steps
///  step:   kind | its bytes: what to send as it is; or where to cut, change, drop or repeat what a right client says
/// ```
struct TLSSessionInvariants {
    private let server: TLSSession
    private let client: TLSSession
    /// What the client has said and nobody has delivered yet.
    private var pending = ByteBuffer()
    private var received = 0
    private var decrypted = 0
    private var failure: TLSRefusal?
    private var isClientHeard = false
    private var isClientDone = false

    /// A step answers with a flight of the handshake, an alert, or what it was given to encrypt.
    private static let mostRecords = 64 << 10

    static func check(_ input: [UInt8]) throws(Violation) {
        guard let tls = ThrowAwayTLS.shared else { throw Violation("no certificate can be made") }
        var input = FuzzInput(input)
        let context = tls.servers[input.below(tls.servers.count)]
        weak let freed = try session(context, tls.client, &input)
        guard freed == nil else { throw Violation("the session is still there") }
    }

    /// Runs a session, and returns it.
    private static func session(
        _ context: TLSContext,
        _ client: TLSContext,
        _ input: inout FuzzInput
    ) throws(Violation) -> TLSSession {
        guard let server = try? TLSSession(context), let client = try? TLSSession(client) else {
            throw Violation("no session can be made")
        }
        var run = TLSSessionInvariants(server: server, client: client)
        while !input.isEmpty { try run.step(&input) }
        return server
    }

    private init(server: TLSSession, client: TLSSession) {
        self.server = server
        self.client = client
    }

    private mutating func step(_ input: inout FuzzInput) throws(Violation) {
        let server = server
        switch input.below(9) {
        case 0: try deliver(ByteBuffer(bytes: input.take(Int(input.byte()))))
        case 1: askClient()
        case 2:
            isClientHeard = isClientHeard || pending.readableBytes > 0
            try deliver(pending.readSlice(length: min(Int(input.byte()) << 3, pending.readableBytes)) ?? ByteBuffer())
        case 3:
            isClientHeard = isClientHeard || pending.readableBytes > 0
            try deliver(pending)
            pending.clear()
        case 4: change(at: Int(input.byte()) << 8 | Int(input.byte()), by: input.byte())
        case 5: pending.moveReaderIndex(forwardBy: min(Int(input.byte()), pending.readableBytes))
        // Through an array: a buffer that is written to itself is read where it was before it grew.
        case 6: if pending.readableBytes < Self.mostRecords { pending.writeBytes(Array(pending.readableBytesView)) }
        case 7:
            let bytes = ByteBuffer(repeating: input.byte(), count: Int(input.byte()) << 6)
            guard server.isEstablished else { return }
            try take { server.encrypt(bytes, records: &$0) }
        default:
            try take {
                server.shutdown(records: &$0)
                return nil
            }
        }
    }

    private mutating func change(at offset: Int, by difference: UInt8) {
        guard pending.readableBytes > 0 else { return }
        let index = pending.readerIndex + offset % pending.readableBytes
        pending.setInteger((pending.getInteger(at: index, as: UInt8.self) ?? 0) ^ difference, at: index)
    }

    /// The client goes on with its handshake, or says something behind it.
    private mutating func askClient() {
        guard pending.readableBytes < Self.mostRecords else { return }
        var plaintext = ByteBuffer()
        guard isClientDone else {
            isClientDone = client.handshake(records: &pending) == .complete
            return
        }
        _ = client.decrypt(into: &plaintext, records: &pending)
        _ = client.encrypt(ByteBuffer(string: "a request"), records: &pending)
    }

    private mutating func deliver(_ bytes: ByteBuffer) throws(Violation) {
        let server = server
        received += bytes.readableBytes
        server.receive(bytes)
        if !server.isEstablished {
            try take { server.handshake(records: &$0) }
        } else {
            var plaintext = ByteBuffer()
            try take { server.decrypt(into: &plaintext, records: &$0) }
            decrypted += plaintext.readableBytes
        }
        guard !server.isEstablished || isClientHeard else { throw Violation("a handshake with nobody") }
        guard decrypted <= received else { throw Violation("\(decrypted) bytes out of \(received)") }
    }

    private mutating func take(_ step: (inout ByteBuffer) -> TLSSession.Step?) throws(Violation) {
        var records = ByteBuffer()
        let outcome = step(&records)
        guard records.readableBytes < Self.mostRecords else {
            throw Violation("\(records.readableBytes) bytes to send")
        }
        if let failure {
            guard records.readableBytes == 0 else { throw Violation("it says something behind a failure") }
            guard outcome == nil || outcome == .failed(failure) else {
                throw Violation("it goes on behind a failure")
            }
        }
        client.receive(records)
        guard failure == nil, case .some(.failed(let refusal)) = outcome else { return }
        failure = refusal
        try staysFailed(refusal)
    }

    private func staysFailed(_ refusal: TLSRefusal) throws(Violation) {
        guard !refusal.description.isEmpty else { throw Violation("a failure without words") }
        var (plaintext, records) = (ByteBuffer(), ByteBuffer())
        let steps = [
            server.handshake(records: &records), server.decrypt(into: &plaintext, records: &records),
            server.encrypt(ByteBuffer(string: "more"), records: &records),
        ]
        server.shutdown(records: &records)
        guard steps.allSatisfy({ $0 == .failed(refusal) }) else { throw Violation("it goes on behind a failure") }
        guard plaintext.readableBytes + records.readableBytes == 0 else {
            throw Violation("it says something behind a failure")
        }
    }
}
