import MultiplexerCore

/// What holds for whatever a device sends, in any reads, with requests and silences between.
struct ResponseReaderInvariants {
    private let tested: FramingUnderTest
    private var reader: ResponseReader
    private var unread: [UInt8] = []
    /// How many bytes of the stream were cut off.
    private var cut = 0
    /// The request in flight, where the wire has no ids, and where in the stream it was sent.
    private var awaited: Request?
    private var asked: (request: Request, position: Int)?
    private var outcomes: [Outcome] = []

    /// What became of bytes; noise is told by its length.
    fileprivate enum Outcome: Equatable {
        case message([UInt8])
        case noise(Int)
        case damage(ResponseDamage)
        case unreadable
    }

    private static let tested =
        FramingUnderTest.modbusSerial + FramingUnderTest.modbusTCP + FramingUnderTest.modbusTCPWithCRC
        + FramingUnderTest.modbusWithoutIDs + FramingUnderTest.iso8583 + FramingUnderTest.lengthPrefixed
        + FramingUnderTest.lines
    /// Noise is kept up to this length.
    private static let longestNoise = 512

    /// ```
    /// +---------+      +-----------+---+---------+
    /// | framing |  and | read      | n | n bytes |    as often as there are bytes
    /// |         |      | silence   |   |         |
    /// +---------+      | request   | n | n bytes |
    ///                  | timeout   |   |         |
    ///                  +-----------+---+---------+
    /// ```
    static func check(_ input: [UInt8]) throws(Violation) {
        var input = FuzzInput(input)
        guard let tested = input.pick(tested) else { return }
        var invariants = Self(tested)
        var stream: [UInt8] = []
        while !input.isEmpty {
            switch input.below(5) {
            case 0, 1:
                let bytes = input.take(Int(input.byte()))
                stream += bytes
                try invariants.receive(bytes)
            case 2: try invariants.fallSilent()
            case 3: invariants.ask(input.take(Int(input.byte())))
            default: invariants.awaited = nil
            }
        }
        if tested.framing.carriesTransactionIDs { try invariants.checkReads(of: stream) }
    }

    private init(_ tested: FramingUnderTest) {
        self.tested = tested
        reader = ResponseReader(tested.framing, tested.rules)
    }

    private mutating func ask(_ message: [UInt8]) {
        let frame = tested.framing.sealed(message, transactionID: 0)
        guard awaited == nil, tested.framing.verdict(on: frame[...], .request) == .length(frame.count) else { return }
        let request = tested.rules.request(message.span)
        reader.requestSent(request, unread: unread.count)
        asked = (request, cut + unread.count)
        if !tested.framing.carriesTransactionIDs { awaited = request }
    }

    private mutating func receive(_ bytes: [UInt8]) throws(Violation) {
        guard !reader.hasEnded else { return }
        unread += bytes
        try read(isSilent: false)
        let limit = max(tested.maximumLength, Self.longestNoise)
        guard unread.count <= limit else { throw Violation("\(unread.count) bytes are kept; \(limit) are enough") }
    }

    private mutating func fallSilent() throws(Violation) {
        guard reader.awaitsSilence else { return }
        try read(isSilent: true)
        guard !reader.awaitsSilence else { throw Violation("a silence after a silence") }
    }

    private mutating func read(isSilent: Bool) throws(Violation) {
        while let reading = next(isSilent: isSilent) {
            switch reading {
            case .message(let length):
                try check(message: length)
                awaited = nil
                outcomes.append(.message(try take(length)))
            case .noise(let length):
                guard tested.isSerial else { throw Violation("noise where none can be") }
                _ = try take(length)
                outcomes.append(.noise(length))
            case .damage(let damage):
                try check(damage, isSilent: isSilent)
                _ = try take(unread.count)
                awaited = nil
                outcomes.append(.damage(damage))
            case .unreadable:
                _ = try take(unread.count)
                outcomes.append(.unreadable)
            }
            if reading.isEnd, !reader.hasEnded { throw Violation("read on after \(reading)") }
        }
        if reader.hasEnded, next(isSilent: true) != nil { throw Violation("something after the end") }
        if reader.awaitsSilence, !tested.isSerial { throw Violation("a silence that tells nothing") }
    }

    private mutating func next(isSilent: Bool) -> ResponseReader.Reading? {
        let bytes = unread
        return reader.next(in: bytes.span, respondingTo: awaited, isSilent: isSilent)
    }

    /// What is cut off is cut off once, and was there.
    private mutating func take(_ length: Int) throws(Violation) -> [UInt8] {
        guard (1...max(unread.count, 1)).contains(length), length <= unread.count else {
            throw Violation("\(length) of \(unread.count) bytes")
        }
        defer {
            unread.removeFirst(length)
            cut += length
        }
        return Array(unread.prefix(length))
    }
}

// MARK: - What is handed out

extension ResponseReaderInvariants {
    private func check(message length: Int) throws(Violation) {
        guard length <= unread.count else { throw Violation("\(length) of \(unread.count) bytes are a message") }
        let frame = unread[..<length]
        guard tested.framing.verdict(on: frame, .response, respondingTo: asked?.request) == .length(length) else {
            throw Violation("a message that is no frame: \(frame.hex)")
        }
        try tested.checkFrame(frame)
        guard !tested.framing.carriesTransactionIDs else { return }
        let message = try tested.framing.opened(frame).message
        let response = tested.rules.response(message.span)
        if tested.isSerial, response.correlation != asked?.request.correlation {
            throw Violation("a frame of others was handed out: \(frame.hex)")
        }
        guard let awaited, awaited.expectsResponse, !response.isUnsolicited, let asked else { return }
        guard cut >= asked.position else { throw Violation("an answer that began before its request: \(frame.hex)") }
        guard tested.isSerial || tested.rules.deviceMayInitiate || length == unread.count else {
            throw Violation("an answer with \(unread.count - length) bytes behind it")
        }
    }

    private func check(_ damage: ResponseDamage, isSilent: Bool) throws(Violation) {
        switch damage.cause {
        case .length(let announced, let content):
            guard announced != content else { throw Violation("two lengths that are equal: \(damage)") }
        case .checksum, .reversedChecksum, .wideByteCount:
            guard tested.isSerial, isSilent, damage.isInStep, awaited?.expectsResponse == true else {
                throw Violation("damage to nothing that was awaited: \(damage)")
            }
        default:
            throw Violation("that is for the core to see: \(damage)")
        }
    }

    /// The reads that a stream comes in make no difference, but for a frame that one of them cuts short.
    private func checkReads(of stream: [UInt8]) throws(Violation) {
        for size in [1, 7, stream.count] where size > 0 {
            var other = Self(tested)
            for begin in stride(from: 0, to: stream.count, by: size) {
                try other.receive(Array(stream[begin..<min(begin + size, stream.count)]))
            }
            for (one, another) in zip(outcomes, other.outcomes) where one != another {
                guard one.isDamage || another.isDamage else {
                    throw Violation("in reads of \(size): \(another) instead of \(one)")
                }
                break
            }
            let hasDamage = (outcomes + other.outcomes).contains(where: \.isDamage)
            guard hasDamage || outcomes.count == other.outcomes.count else {
                throw Violation("in reads of \(size): \(other.outcomes.count) instead of \(outcomes.count)")
            }
        }
    }
}

extension ResponseReaderInvariants.Outcome {
    fileprivate var isDamage: Bool { if case .damage = self { true } else { false } }
}

extension ResponseReader.Reading {
    fileprivate var isEnd: Bool {
        switch self {
        case .damage(let damage): !damage.isInStep
        case .unreadable: true
        case .message, .noise: false
        }
    }
}

extension FramingUnderTest {
    fileprivate var isSerial: Bool { framing is ModbusRTUFraming }
}
