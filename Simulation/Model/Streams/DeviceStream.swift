import MultiplexerCore

/// What a device sends, cut anywhere into reads, and what the core's ``ResponseReader`` makes of it.
///
/// The stream is made of answers, and of one fault at its end. So it is known what has to be read: each answer, whole, in
/// their order, and nothing that only looks like one.
struct DeviceStream {
    private let wire: StreamWire
    private let fault: Fault
    private var reader: ResponseReader
    private var random: SplitMix64

    private var unread: [UInt8] = []
    private var awaited: Request?
    /// The answer that has to be read next.
    private var expected: [UInt8]?
    private var hasEnded = false

    /// What goes wrong at the end.
    private enum Fault {
        case none
        /// On a wire without ids the answer comes twice, with one read.
        case doubled
        /// On a wire without ids something has begun to come before the request is sent.
        case early
        /// With ids, a header announces more than the content is long.
        case announcesMore
        /// On a serial line, a byte of the answer is another one.
        case damaged
        /// On a serial line, zeros or ones stand around the answer.
        case noise
        /// On a serial line, another unit answers first.
        case otherUnit
    }

    private var carriesIDs: Bool { wire.spoken.framing.carriesTransactionIDs }

    init(_ random: SplitMix64) {
        var random = random
        wire = random.pick(StreamWire.all)
        let withoutIDs: [Fault] = [.none, .doubled, .early, .damaged, .noise, .otherUnit]
        fault = random.pick(wire.spoken.framing.carriesTransactionIDs ? [.none, .announcesMore] : withoutIDs)
        reader = wire.spoken.wire.responseReader
        self.random = random
    }

    mutating func run() throws(Violation) {
        for _ in 0...random.below(5) { try exchange(.none) }
        try exchange(fault)
    }

    private mutating func exchange(_ fault: Fault) throws(Violation) {
        let message = StreamWire.message(using: &random)
        let response = StreamWire.response(to: message, using: &random)
        let frame = wire.frame(of: response, UInt16(truncatingIfNeeded: random.next()))
        if fault == .early {
            // Whatever it is: the end of an answer that was given up, say.
            let end = 1 + random.below(frame.count - 1)
            try receive(Array(frame[..<end]), inOne: true)
            guard !unread.isEmpty else { return }
            ask(message)
            try receive(Array(frame[end...]), inOne: random.chance(50))
            return try fallSilent()
        }
        ask(message)
        switch fault {
        case .none, .early:
            expected = frame
            try receive(frame)
            guard expected == nil else { throw Violation("an answer is not read that is there", "\(frame)") }
        case .doubled:
            try receive(frame + frame, inOne: true)
            guard hasEnded else { throw Violation("one of two answers is taken") }
        case .announcesMore:
            // Enough to hold another answer.
            var longer = frame
            let announced = UInt16(frame.count - 6 + 20 + random.below(100))
            (longer[4], longer[5]) = (UInt8(announced >> 8), UInt8(announced & 0xFF))
            try receive(longer, inOne: true)
            // A function of fixed length tells nothing of its own length here.
            if response[1] == 3, !hasEnded { throw Violation("a frame that announces too much is waited for") }
        case .damaged:
            var damaged = frame
            damaged[random.below(frame.count)] ^= UInt8(1 << random.below(8))
            try receive(damaged)
            try fallSilent()
        case .noise:
            expected = frame
            let noise = Array(repeating: random.pick([0, 0xFF] as [UInt8]), count: 1 + random.below(4))
            try receive(noise + frame + (random.chance(50) ? noise : []))
            try fallSilent()
            guard expected == nil else { throw Violation("an answer is lost among noise", "\(frame)") }
        case .otherUnit:
            var other = response
            other[0] = other[0] == 1 ? 2 : other[0] - 1
            try receive(wire.frame(of: other, 0), inOne: true)
            try fallSilent()
            guard !hasEnded else { throw Violation("a foreign answer costs the connection") }
            expected = frame
            try receive(frame)
            try fallSilent()
            guard expected == nil else { throw Violation("the answer behind a foreign one is lost") }
        }
    }

    private mutating func ask(_ message: [UInt8]) {
        let request = wire.spoken.messageRules.request(message.span)
        awaited = carriesIDs ? nil : request
        reader.requestSent(awaited, unread: unread.count)
    }

    private mutating func receive(_ bytes: [UInt8], inOne: Bool = false) throws(Violation) {
        var rest = bytes[...]
        while !rest.isEmpty, !hasEnded {
            let count = inOne ? rest.count : min(1 + random.below(random.chance(20) ? 300 : 9), rest.count)
            unread += rest.prefix(count)
            rest = rest.dropFirst(count)
            try read(isSilent: false)
        }
    }

    private mutating func fallSilent() throws(Violation) {
        if reader.awaitsSilence, !hasEnded { try read(isSilent: true) }
    }

    private mutating func read(isSilent: Bool) throws(Violation) {
        while !hasEnded, !unread.isEmpty {
            let bytes = unread
            switch reader.next(in: bytes.span, respondingTo: awaited, isSilent: isSilent) {
            case .message(let length):
                try received(Array(unread.prefix(length)))
                unread.removeFirst(length)
            case .noise(let length):
                guard length > 0, length <= unread.count else { throw Violation("noise of \(length) bytes") }
                unread.removeFirst(length)
            case .damage(let damage):
                guard fault != .none, expected == nil else {
                    throw Violation("a right answer is called damaged", "\(damage.cause)")
                }
                unread = []
                awaited = nil
                if !damage.isInStep { hasEnded = true }
            case .unreadable(let error):
                guard fault != .none, fault != .noise else {
                    throw Violation("a right answer cannot be read", "\(error)")
                }
                guard reader.hasEnded else { throw Violation("more is read from what cannot be read") }
                hasEnded = true
            case nil:
                return
            }
        }
    }

    private mutating func received(_ frame: [UInt8]) throws(Violation) {
        if let expected {
            guard frame == expected else { throw Violation("another answer is read than came", "\(frame)") }
            self.expected = nil
            awaited = nil
            return
        }
        guard awaited != nil else { return }
        // What the core can tell by itself is given to it; never is it the one that was asked for.
        guard fault == .otherUnit else { throw Violation("what is no answer is given for one", "\(frame)") }
        let response = wire.spoken.wire.response(in: frame.span)
        guard response.correlation != awaited?.correlation else {
            throw Violation("a foreign answer is given for the right one", "\(frame)")
        }
    }
}
