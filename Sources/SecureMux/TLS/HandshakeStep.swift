import NIOCore

/// One step of a handshake: the session and what it has received, handed over to whatever thread takes the step.
///
/// OpenSSL's error queue belongs to that thread, and is emptied there: what a session's calls leave in it is in the outcome. The
/// loop lets go of the session with the step, and gets both back through its queue.
final class HandshakeStep: @unchecked Sendable {  // Safe: one thread has it at a time, handed over through queues.
    private let context: TLSContext
    private var input: ByteBuffer
    /// Nil before the first step, and when none could be made.
    private(set) var session: TLSSession?
    /// What is to be sent, after a failure too.
    private(set) var records: ByteBuffer
    private(set) var outcome = TLSSession.Step.needsInput
    /// Who the peer is, once the handshake is complete.
    private(set) var peer: TLSPeerIdentified?

    /// The next step of `session`, the first one of a new session without; the caller must not touch either until it is taken.
    init(_ context: TLSContext, _ session: TLSSession?, receiving input: ByteBuffer) {
        self.context = context
        self.session = session
        self.input = input
        records = ByteBufferAllocator().buffer(capacity: Self.usualFlight)
    }

    /// What a server says with a certificate or two.
    ///
    /// What one thread allocates and another one frees, the second one frees under a lock of the first; if the first is of lower
    /// priority, and has just lost the processor, it waits for long. So the loop makes and frees these buffers, and the pool
    /// the sessions.
    private static let usualFlight = 4 << 10

    /// Takes the session and what is to be sent out of the step; the thread that has taken the step may live longer with the rest.
    func takeResult() -> (session: TLSSession?, records: ByteBuffer) {
        defer { (session, records, input) = (nil, ByteBuffer(), ByteBuffer()) }
        return (session, records)
    }

    /// Frees the session, which was handed over for that.
    func freeSession() { session = nil }

    /// Runs it, on whatever thread has it.
    func run() {
        do throws(TLSRefusal) {
            let session = if let session { session } else { try TLSSession(context) }
            self.session = session
            if input.readableBytes > 0 { session.receive(input) }
            outcome = session.handshake(records: &records)
            // To decode a certificate takes a while, too.
            if outcome == .complete {
                peer = TLSPeerIdentified(
                    certificate: session.peerCertificate,
                    version: session.negotiatedVersion ?? .v1_2
                )
            }
        } catch {
            outcome = .failed(error)
        }
    }
}
