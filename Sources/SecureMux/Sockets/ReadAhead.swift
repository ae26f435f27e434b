import NIOCore

/// The bytes that a client's socket brings ahead of a read, buffered up to a limit until somebody reads.
///
/// When a client closes or resets its connection, the channel reads all that the system still has of it, in one tick of
/// the loop and whether or not it was asked to: megabytes, which the later handlers would decrypt and parse while everybody
/// else waits. So this is asked right after the socket, in front of TLS too.
///
/// ```
///  socket ──── asked for ────────────────▶ later handlers
///         ──── ahead ─────▶ buffered, ≤ limit ─▲ read
///                           beyond it: closed, which ends the channel's reading
/// ```
struct ReadAhead {
    private let limit: Int
    private var buffered = ByteBuffer()
    /// The client has ended its sending, and the later handlers are still to get what it sent before.
    private var isEndBuffered = false
    /// Somebody has asked to read since the last bytes came.
    private var isAsked = false
    /// The bytes that come until the reading is complete were asked for; nil before the first of them.
    private var isReadingAsked: Bool?

    /// How many bytes a client may have sent ahead when it ends its sending but waits for answers.
    static let sentAhead = 64 << 10
    /// How many bytes a client may send before it leaves while a step of its handshake is taken, such as an alert.
    static let lastWords = 512

    /// Buffers up to `limit` bytes: 0 where a client that ends its sending is not answered.
    init(limit: Int) {
        self.limit = limit
    }

    /// What is to become of bytes that came.
    enum Disposition {
        case passed
        case buffered
        /// They are too many.
        case refused
    }

    /// Somebody asks to read.
    ///
    /// - Returns: Whether the socket is to be read, since nothing is buffered.
    mutating func asks() -> Bool {
        guard buffered.readableBytes == 0 else { return false }
        isAsked = true
        return true
    }

    /// Bytes came.
    mutating func receive(_ bytes: ByteBuffer) -> Disposition {
        let isReadingAsked = isReadingAsked ?? isAsked
        if self.isReadingAsked == nil { isAsked = false }
        self.isReadingAsked = isReadingAsked
        guard !isReadingAsked else { return .passed }
        guard buffered.readableBytes + bytes.readableBytes <= limit else {
            buffered = ByteBuffer()
            return .refused
        }
        // A copy, since the channel's buffer may be much larger.
        buffered.writeImmutableBuffer(bytes)
        return .buffered
    }

    /// A read is complete.
    ///
    /// - Returns: Whether the later handlers are to know.
    mutating func complete() -> Bool {
        defer { isReadingAsked = nil }
        return isReadingAsked ?? true
    }

    /// The client has ended its sending.
    ///
    /// - Returns: Whether the later handlers are to know now.
    mutating func end() -> Bool {
        guard buffered.readableBytes > 0 else { return true }
        isEndBuffered = true
        return false
    }

    /// Gives out the bytes that are buffered, and whether the end follows them.
    mutating func deliver() -> (bytes: ByteBuffer, isEnd: Bool)? {
        guard buffered.readableBytes > 0 else { return nil }
        defer { clear() }
        return (buffered, isEndBuffered)
    }

    /// Drops what is buffered.
    mutating func clear() {
        buffered = ByteBuffer()
        isEndBuffered = false
    }
}
