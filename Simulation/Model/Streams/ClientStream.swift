import MultiplexerCore

/// What a client sends, cut anywhere into reads, and what the core's ``RequestReader`` makes of it.
///
/// The stream is made of requests, so it is known what has to be read: each of them, whole, in their order, and none while
/// the driver has enough or, where there are no ids, before the one in front is answered.
struct ClientStream {
    private let spoken: ApplicationProtocol
    private let ending: Ending
    private var reader: RequestReader
    private var random: SplitMix64

    /// The requests that were not yet read.
    private var expected: [[UInt8]] = []
    private var unread: [UInt8] = []
    /// What did not yet come.
    private var coming: [UInt8] = []
    private var unanswered = 0
    private var isPaused = false
    private var hasEnded = false

    /// What stands behind the requests.
    private enum Ending {
        case nothing
        /// A ClientHello, before any request.
        case tls
        /// What no frame can begin with.
        case garbage
    }

    init(_ random: SplitMix64) {
        var random = random
        let wire = random.pick(StreamWire.all)
        spoken = wire.spoken
        let isOverTLS = random.chance(30)
        reader = RequestReader(spoken.wire, isOverTLS: isOverTLS)
        ending = isOverTLS ? (random.chance(50) ? .nothing : .garbage) : random.pick([.nothing, .tls, .garbage])
        // A hello is the first that a client sends, or it is none.
        expected = ending == .tls ? [] : (0...random.below(6)).map { _ in wire.request(using: &random) }
        coming = expected.flatMap(\.self)
        switch ending {
        case .nothing: break
        case .tls: coming += [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3] + Array(repeating: 0, count: random.below(40))
        case .garbage: coming += wire.garbage
        }
        self.random = random
    }

    mutating func run() throws(Violation) {
        for _ in 0..<400 where !hasEnded {
            switch random.below(10) {
            case 0: setPaused(true)
            case 1, 2: setPaused(false)
            case 3, 4: unanswered = max(unanswered - 1, 0)
            default: receive()
            }
            try read()
        }
        setPaused(false)
        unread += coming
        coming = []
        for _ in 0..<20 where !hasEnded {
            unanswered = 0
            try read()
        }
        guard expected.isEmpty else { throw Violation("a request is never read", "\(expected.count) are left") }
        guard hasEnded == (ending != .nothing) else { throw Violation("what is no request was not noticed") }
    }

    private mutating func setPaused(_ pauses: Bool) {
        guard isPaused != pauses else { return }
        isPaused = pauses
        if pauses { reader.pause() } else { reader.resume() }
    }

    private mutating func receive() {
        let count = min(random.below(9) == 0 ? 300 : random.below(9), coming.count)
        unread += coming.prefix(count)
        coming.removeFirst(count)
    }

    private var mayForward: Bool { !isPaused && (spoken.framing.carriesTransactionIDs || unanswered == 0) }

    private mutating func read() throws(Violation) {
        while !hasEnded {
            let bytes = unread
            switch reader.next(in: bytes.span, unanswered: unanswered) {
            case .request(let length):
                guard !isPaused else { throw Violation("a request is read though there are enough") }
                guard mayForward else { throw Violation("a request is read before the one in front is answered") }
                guard let first = expected.first, first == Array(unread.prefix(length)) else {
                    throw Violation("a request is read that was not sent", "\(unread.prefix(length))")
                }
                expected.removeFirst()
                unread.removeFirst(length)
                unanswered += 1
            case .tls:
                guard ending == .tls else { throw Violation("what is no TLS is taken for it") }
                hasEnded = true
            case .unreadable(let error):
                guard ending == .garbage, expected.isEmpty else {
                    throw Violation("what is right is called unreadable", "\(error)")
                }
                hasEnded = true
            case nil:
                return try rest()
            }
        }
    }

    /// Nothing is read: nothing may be there that could be.
    private func rest() throws(Violation) {
        guard let first = expected.first, unread.count >= first.count else { return }
        guard !mayForward else { throw Violation("a request is not read that is there") }
        guard isPaused || reader.hasWaitingRequest else { throw Violation("nobody knows that a request waits") }
        guard !reader.isOpen else { throw Violation("more is read though a request waits") }
    }
}
