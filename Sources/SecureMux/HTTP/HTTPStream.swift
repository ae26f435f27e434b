import MultiplexerCore

/// What the bytes that come next on a connection are, shared by the two handlers around llhttp.
///
/// The codec knows it, since it sees what llhttp has parsed; the head guard acts on it before llhttp sees more.
final class HTTPStream {
    /// What comes next.
    var next: Next

    enum Next {
        /// A message's head.
        case head
        /// This many bytes of a body.
        case body(Int)
        /// Chunks and what is around them.
        case chunks
        /// A body that ends with the connection.
        case bodyToEnd
        /// Nothing more is due.
        case nothing
    }

    /// Bytes of a message have come, but not yet its whole head.
    var hasBegun = false
    /// How many bytes llhttp has not got yet.
    var bufferedBytes = 0
    /// The current message came in chunks and with a length in addition.
    var isLengthOverruled = false
    /// How many of a client's requests have no response yet.
    var unanswered = 0

    /// Whether a client has enough unanswered requests for its next one to wait.
    var hasManyUnanswered: Bool { isInHead && unanswered >= Self.manyUnanswered }

    /// Further requests would be parsed for nothing when the client leaves.
    static let manyUnanswered = 32

    init(_ next: Next) {
        self.next = next
    }

    /// How many heads llhttp has read; a head after which this stays as it was has changed llhttp's idea of the stream.
    private(set) var headsRead = 0

    /// llhttp has read a head.
    func countHead() {
        headsRead += 1
    }

    /// The bytes of the current chunked message: payload and overhead.
    private var chunked = 0
    /// How many of them are in chunks.
    var payload = 0

    /// The bytes around chunks that came since the last byte in a chunk.
    private var overhead = 0
    private var payloadBefore = 0

    /// Forgets the message before.
    func beginMessage() {
        (chunked, payload, overhead, payloadBefore) = (0, 0, 0, 0)
        isLengthOverruled = false
    }

    /// Counts bytes of a chunked message that llhttp has got.
    ///
    /// llhttp keeps a trailer field from its name on while only spaces follow, which none of its own limits covers.
    ///
    /// - Throws: ``HTTPViolation`` when more stands around the chunks than chunks of one byte each would need: extensions,
    ///   which nobody reads, would otherwise keep llhttp busy for nothing.
    func countChunked(_ bytes: Int, limits: HTTPLimits) throws(HTTPViolation) {
        chunked += bytes
        overhead = payload == payloadBefore ? overhead + bytes : 0
        payloadBefore = payload
        guard isInChunks,
            overhead > limits.head || chunked > limits.head + payload * Self.bytesOfSmallestChunk
        else { return }
        throw HTTPViolation(431, "more around its chunks than in them")
    }

    /// `1`, CR, LF, a byte, CR, LF.
    private static let bytesOfSmallestChunk = 6

    /// Whether chunks come next, or what is around them.
    var isInChunks: Bool { if case .chunks = next { true } else { false } }

    /// Whether a head comes next, or is not yet complete.
    var isInHead: Bool { if case .head = next { true } else { false } }
}

@available(*, unavailable)
extension HTTPStream: Sendable {}
