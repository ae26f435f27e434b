import MultiplexerCore
import Testing

/// What responses are on a serial line: among noise, frames of others and damage.
@Suite struct ModbusRTUSearchTests {
    private typealias Outcome = ReaderFeeding.Outcome

    /// Read one holding register of unit 1, and its answer.
    private static let question: [UInt8] = [1, 3, 0, 0, 0, 1]
    private static let answer: [UInt8] = [1, 3, 2, 0, 0xD7, 0xF8, 0x1A]
    private static let tooMuch = Outcome.unreadable("more than it was asked for")

    private static func asking(_ message: [UInt8] = question) -> ReaderFeeding {
        ReaderFeeding(.modbusSerial, asking: message)
    }

    private static func damage(_ cause: ResponseDamage.Cause) -> Outcome {
        .damage(ResponseDamage(cause, isInStep: true))
    }

    // MARK: Answers

    @Test(arguments: ModbusExchange.all)
    func `the answer of any function is found, in any two reads`(_ exchange: ModbusExchange) {
        for message in [exchange.response, [exchange.request[0], exchange.request[1] | 0x80, 2]] {
            let frame = withModbusCRC(message)
            for split in 0..<frame.count {
                var feeding = Self.asking(exchange.request)
                #expect(feeding.receive(frame.prefix(split)) == [])
                // A silence in the middle of it does not matter.
                #expect(feeding.fallSilent() == [])
                #expect(feeding.receive(frame.dropFirst(split)) == [.message(frame)])
                #expect(feeding.unread.isEmpty && !feeding.awaitsSilence)
            }
        }
    }

    // Fewer values are for the core to judge.
    @Test(
        arguments: [
            [1, 4, 8, 0, 6, 0x59, 0xCF, 0, 0, 0, 0], [1, 4, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 4, 0],
        ] as [[UInt8]]
    )
    func `the answer is as long as its byte count says`(_ message: [UInt8]) {
        let frame = withModbusCRC(message)
        for size in 1...frame.count {
            var feeding = Self.asking([1, 4, 0, 0x28, 0, 2])
            #expect(feeding.receive(frame, inReadsOf: size) == [.message(frame)])
        }
    }

    // MARK: Noise

    @Test func `zeros behind an answer are noise once the line is silent`() {
        let stream = Self.answer + [0, 0, 0]
        for size in 1...stream.count {
            var feeding = Self.asking()
            let outcomes = feeding.receive(stream, inReadsOf: size)
            #expect(outcomes == [.message(Self.answer), .noise([0, 0, 0])])
            #expect(!feeding.hasEnded)
        }
    }

    @Test func `zeros behind an answer do not hide the next one, whenever the request leaves`() {
        for early in 0...3 {
            for size in 1...10 {
                var feeding = Self.asking()
                var outcomes = feeding.receive(Self.answer + [UInt8](repeating: 0, count: early))
                for _ in 0..<3 {
                    feeding.ask(Self.question)
                    let stream = [UInt8](repeating: 0, count: 3 - early) + Self.answer
                    for begin in stride(from: 0, to: stream.count, by: size) {
                        outcomes += feeding.receive(stream[begin..<min(begin + size, stream.count)])
                    }
                    outcomes += feeding.receive([UInt8](repeating: 0, count: early))
                }
                outcomes += feeding.fallSilent()
                #expect(outcomes.filter { $0 == .message(Self.answer) }.count == 4)
                #expect(outcomes.allSatisfy { $0 == .message(Self.answer) || $0.isNoise })
            }
        }
    }

    @Test(arguments: [[0xFF], [0], [0, 0, 0, 0], [0xFF, 0, 0xFE], [0x55], [1], [1, 1], [3, 1, 2]] as [[UInt8]])
    func `up to four stray bytes may stand before an answer`(_ strays: [UInt8]) {
        for message: [UInt8] in [[1, 3, 2, 0x6D, 0x60], [1, 3, 4, 1, 2, 3, 4], [1, 0x83, 2]] {
            let frame = withModbusCRC(message)
            for split in 0...strays.count + frame.count {
                var feeding = Self.asking([1, 3, 1, 0, 0, UInt8(max(message.count - 3, 2) / 2)])
                var outcomes = feeding.receive((strays + frame).prefix(split))
                outcomes += feeding.receive((strays + frame).dropFirst(split))
                outcomes += feeding.fallSilent()
                #expect(outcomes.last == .message(frame))
                #expect(outcomes.reduce(into: []) { $0 += $1.noise } == strays)
            }
        }
    }

    @Test func `a byte of a line at rest delays nothing`() {
        for stray: UInt8 in [0, 0xFF, 0xFE] {
            var feeding = Self.asking([1, 4, 0, 4, 0, 1])
            let frame = withModbusCRC([1, 4, 2, 0, 0x2A])
            #expect(feeding.receive([stray] + frame) == [.noise([stray]), .message(frame)])
        }
    }

    @Test func `five stray bytes are too many, and the wait goes on behind a silence`() {
        var feeding = Self.asking()
        #expect(feeding.receive([UInt8](repeating: 0, count: 5) + Self.answer) == [])
        #expect(feeding.fallSilent().map(\.noise.count) == [12])
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
    }

    @Test func `noise without an end is dropped, and nothing in it is taken`() {
        var feeding = Self.asking()
        var dropped = 0
        for _ in 0..<1000 {
            dropped += feeding.receive([UInt8](repeating: 0x55, count: 100)).reduce(0) { $0 + $1.noise.count }
            #expect(feeding.unread.count <= 512)
        }
        #expect(feeding.receive(Self.answer) == [.noise(Self.answer)])
        #expect(dropped == 100_000)
        #expect(feeding.fallSilent() == [])
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
    }

    @Test func `noise while nothing is awaited is dropped after a silence`() {
        for bytes: [UInt8] in [[0], [0, 0, 0], [1], Array(Self.answer.dropFirst()), [2, 4, 2]] {
            var feeding = ReaderFeeding(.modbusSerial)
            #expect(feeding.receive(bytes, inReadsOf: 1) == [.noise(bytes)])
        }
    }

    // MARK: Frames of others

    @Test func `a whole frame of another unit or function is dropped and the wait goes on`() {
        let answer = withModbusCRC([1, 4, 2, 0, 0x2A])
        for message: [UInt8] in [[2, 4, 2, 0x13, 0x88], [1, 3, 2, 0, 1], [2, 0x84, 11], [2, 0x41, 1, 2, 3]] {
            let foreign = withModbusCRC(message)
            for split in 0...foreign.count {
                var feeding = Self.asking([1, 4, 0, 4, 0, 1])
                var outcomes = feeding.receive(foreign.prefix(split))
                outcomes += feeding.receive(foreign.dropFirst(split))
                outcomes += feeding.receive(answer)
                #expect(outcomes == [.noise(foreign), .message(answer)])
            }
        }
        let unit2 = withModbusCRC([2, 4, 2, 0x13, 0x88])
        for (stream, expected) in [
            (unit2 + answer, [Outcome.noise(unit2), .message(answer)]),
            (answer + unit2, [.message(answer), .noise(unit2)]),
            ([0xFF] + unit2 + [0] + answer, [.noise([0xFF] + unit2), .noise([0]), .message(answer)]),
        ] {
            var feeding = Self.asking([1, 4, 0, 4, 0, 1])
            #expect(feeding.receive(stream) == expected)
        }
    }

    // Whoever can write registers can write a frame into them.
    @Test func `what registers hold is never taken for a frame`() {
        let planted = withModbusCRC([1, 3, 2, 0xBA, 0xD1])
        // In the answer itself, in another unit's late one, in one of a function that no standard describes.
        for message: [UInt8] in [[1, 3, 8] + planted + [0], [2, 4, 8] + planted + [0], [2, 65] + planted + [0]] {
            let frame = withModbusCRC(message)
            for split in 1..<frame.count {
                var feeding = Self.asking()
                var outcomes = feeding.receive(frame.prefix(split))
                outcomes += feeding.receive(frame.dropFirst(split))
                #expect(outcomes == [message[0] == 1 ? .message(frame) : .noise(frame)])
            }
        }
        // The answer is damaged: then its content is no better.
        var damaged = withModbusCRC([1, 3, 8] + planted + [0])
        damaged[damaged.count - 1] ^= 1
        var feeding = Self.asking([1, 3, 0, 0, 0, 4])
        #expect(feeding.receive(damaged) == [])
        #expect(feeding.fallSilent() == [Self.damage(.checksum)])
    }

    // MARK: One answer too many

    @Test func `of two frames that could be the answer neither is trusted`() {
        for between: [UInt8] in [[], [0], [0, 0, 0, 0], withModbusCRC([2, 4, 2, 0, 1])] {
            for second in [Self.answer, withModbusCRC([1, 3, 2, 0, 1]), withModbusCRC([1, 0x83, 2])] {
                var feeding = Self.asking()
                #expect(feeding.receive(Self.answer + between + second) == [Self.tooMuch])
                #expect(feeding.hasEnded)
            }
        }
    }

    @Test func `an answer once more is for the core to judge when nothing is awaited`() {
        var feeding = Self.asking()
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
        #expect(feeding.receive([0] + Self.answer) == [.noise([0]), .message(Self.answer)])
        // What is of another unit could not be taken for anything.
        let foreign = withModbusCRC([2, 3, 2, 0, 1])
        #expect(feeding.receive(foreign) == [.noise(foreign)])
    }

    @Test func `what began before the request was sent does not answer it`() {
        for noise: [UInt8] in [[], [0], [0, 0, 0, 0]] {
            for split in 2..<Self.answer.count {
                var feeding = Self.asking()
                #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
                _ = feeding.receive(noise + Self.answer.prefix(split))
                #expect(feeding.fallSilent() == [])
                feeding.ask(Self.question)
                #expect(feeding.receive(Self.answer.dropFirst(split) + Self.answer).last == Self.tooMuch)
            }
        }
    }

    @Test func `noise that came before the request does not count among the stray bytes`() {
        var feeding = Self.asking()
        #expect(feeding.receive(Self.answer + [UInt8](repeating: 0, count: 100)) == [.message(Self.answer)])
        feeding.ask(Self.question)
        let outcomes = feeding.receive([0, 0, 0, 0] + Self.answer)
        #expect(outcomes.map(\.noise.count) == [104, 0])
        #expect(outcomes.last == .message(Self.answer))
    }

    // MARK: Damage

    @Test(arguments: ModbusExchange.all.filter { !$0.isResponseOpen })
    func `a wrong checksum where all else fits is damage after a silence`(_ exchange: ModbusExchange) {
        for message in [exchange.response, [exchange.request[0], exchange.request[1] | 0x80, 2]] {
            for last in 1...2 {
                var frame = withModbusCRC(message)
                frame[frame.count - last] ^= 0x10
                for split in 0..<frame.count {
                    var feeding = Self.asking(exchange.request)
                    #expect(feeding.receive(frame.prefix(split)) + feeding.receive(frame.dropFirst(split)) == [])
                    #expect(feeding.awaitsSilence)
                    // What follows at once is part of the damage, though it looks like an answer.
                    #expect(feeding.receive(withModbusCRC(exchange.response)) == [])
                    #expect(feeding.fallSilent() == [Self.damage(.checksum)])
                    feeding.ask(Self.question)
                    #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
                }
            }
        }
    }

    @Test(
        arguments: [
            ([1, 3, 0x7D, 0x68, 0, 2], [1, 3, 4, 0, 0x0B, 2, 0, 0x91, 0x8A], .reversedChecksum),
            ([1, 3, 0, 0, 0, 1], [1, 3, 0, 2, 0x17, 0x81, 0x2B, 0x9A], .wideByteCount),
        ] as [([UInt8], [UInt8], ResponseDamage.Cause)]
    )
    func `a device that frames in a way of its own is told by what it does`(
        _ question: [UInt8],
        _ frame: [UInt8],
        _ cause: ResponseDamage.Cause
    ) {
        for size in 1...frame.count {
            var feeding = Self.asking(question)
            #expect(feeding.receive(frame, inReadsOf: size) == [Self.damage(cause)])
            #expect(!feeding.hasEnded)
        }
    }

    @Test func `a wrong checksum in what has another length may be another's, and the wait goes on`() {
        var frame = withModbusCRC([1, 3, 4, 0, 1, 0, 2])
        frame[7] ^= 1
        var feeding = Self.asking()
        #expect(feeding.receive(frame) == [])
        #expect(feeding.fallSilent() == [.noise(frame)])
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
    }

    @Test func `damage to what nobody awaits is noise`() {
        var frame = Self.answer
        frame[3] ^= 1
        var feeding = Self.asking()
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
        #expect(feeding.receive(frame) == [])
        #expect(feeding.fallSilent() == [.noise(frame)])
    }

    @Test func `an answer to a broadcast is for the core to judge`() {
        let broadcast: [UInt8] = [0, 6, 0, 1, 0, 2]
        var feeding = Self.asking(broadcast)
        #expect(feeding.receive(withModbusCRC(broadcast)) == [.message(withModbusCRC(broadcast))])
    }
}

extension ReaderFeeding.Outcome {
    fileprivate var noise: [UInt8] { if case .noise(let bytes) = self { bytes } else { [] } }
    fileprivate var isNoise: Bool { !noise.isEmpty }
}
