/// Tells what a client's bytes are: a request, TLS, nothing that can be read, or nothing yet; and when they may be taken.
///
/// A value that measures, and owns no byte: whoever runs it keeps the stream's unread bytes, asks ``next(in:unanswered:)`` again
/// and again, and cuts off each request that it names.
package struct RequestReader: Sendable {
    private let wire: Wire
    private var flow = Flow.open
    /// Whether nothing more of the client is heard, since it has ended its sending or is not to be heard any longer.
    package private(set) var hasEnded = false
    /// Whether the client is known not to begin with TLS on a listener without it.
    private var isKnownPlain: Bool

    /// What keeps requests from being taken.
    private enum Flow {
        case open
        /// The driver has enough of them.
        case paused
        /// A whole one is here, and the one before it is to be answered first.
        case waiting
    }

    /// What unread bytes begin with.
    package enum Reading: Hashable, Sendable {
        /// A request of this many bytes, all of which are there.
        case request(Int)
        /// TLS, to a listener without it.
        case tls
        /// Bytes that are no request of the protocol.
        case unreadable(FramingError)
    }

    /// A reader of a client that speaks `wire`; with `isOverTLS` nothing is taken for TLS.
    package init(_ wire: Wire, isOverTLS: Bool) {
        self.wire = wire
        isKnownPlain = isOverTLS
    }

    /// Whether more bytes are of use, since requests may be taken.
    package var isOpen: Bool { flow == .open }

    /// Whether a whole request waits for the answer to the one before.
    package var hasWaitingRequest: Bool { flow == .waiting }

    /// Nothing more of the client is heard.
    package mutating func end() { hasEnded = true }

    /// Takes no requests until ``resume()``.
    package mutating func pause() { flow = .paused }

    /// Takes requests again.
    package mutating func resume() {
        if flow == .paused { flow = .open }
    }

    /// Tells what the unread bytes begin with, if that is whole and may be taken while this many requests are unanswered.
    ///
    /// Where the wire has no ids, only their order tells responses apart, and a failure may come sooner than the response to
    /// an earlier request: there it has to wait.
    package mutating func next(in bytes: Span<UInt8>, unanswered: Int) -> Reading? {
        if flow == .waiting { flow = .open }
        guard flow == .open, !bytes.isEmpty else { return nil }
        if !isKnownPlain, let isClientHello = Self.isClientHello(bytes) {
            isKnownPlain = true
            if isClientHello { return .tls }
        }
        do throws(FramingError) {
            guard let length = try wire.requestLength(in: bytes), length <= bytes.count else { return nil }
            isKnownPlain = true
            guard unanswered == 0 || wire.carriesTransactionIDs else {
                flow = .waiting
                return nil
            }
            return .request(length)
        } catch {
            // Part of a ClientHello may be enough to see that it is no request.
            return !isKnownPlain && Self.isClientHello(bytes) != false ? .tls : .unreadable(error)
        }
    }

    /// Whether a stream begins with a ClientHello in a TLS record (RFC 8446, sections 4 and 5.1); nil while that is open.
    ///
    /// ```
    ///  0      1       3        5      6          9
    /// +------+-------+--------+------+----------+
    /// | 22   | 3  1…4| length | 1    | length…  |    the second length is the first one less 4, or more in fragments
    /// +------+-------+--------+------+----------+
    /// ```
    ///
    /// As much of it as that, since three bytes alone may begin a request: of unit 22 on a serial wire, for example.
    package static func isClientHello(_ bytes: Span<UInt8>) -> Bool? {
        for index in 0..<min(bytes.count, 9) {
            let isExpected =
                switch index {
                case 0: bytes[index] == 22
                case 1: bytes[index] == 3
                case 2: (1...4).contains(bytes[index])
                case 5: bytes[index] == 1
                case 6: bytes[index] == 0
                default: true
                }
            guard isExpected else { return false }
        }
        guard bytes.count >= 9 else { return nil }
        return bytes.word(at: 7) + 4 >= bytes.word(at: 3)
    }
}
