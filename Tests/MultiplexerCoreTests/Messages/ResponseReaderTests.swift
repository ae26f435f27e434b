import MultiplexerCore
import Testing

/// What responses are on wires whose frames follow one another.
@Suite struct ResponseReaderTests {
    /// An answer of two registers, as Modbus/TCP and with a checksum.
    private static let answer: [UInt8] = [0x12, 0x34, 0, 0, 0, 7, 1, 3, 4, 0, 1, 0, 2]

    private static func damage(_ announced: Int, _ content: Int, isInStep: Bool = false) -> ReaderFeeding.Outcome {
        .damage(
            ResponseDamage(
                transactionID: 0x1234,
                .length(announced: announced, content: content),
                isInStep: isInStep
            )
        )
    }

    // MARK: With transaction ids

    // The last byte alone.
    @Test(arguments: ModbusExchange.all, [ApplicationProtocol.modbus, .modbusRTU])
    func `a frame may come in any two reads`(_ exchange: ModbusExchange, _ spoken: ApplicationProtocol) {
        for message in [exchange.response, [exchange.request[0], exchange.request[1] | 0x80, 2]] {
            let frame = spoken.framing.sealed(message, transactionID: 0x1234)
            for split in 0...frame.count {
                var feeding = ReaderFeeding(spoken)
                #expect(feeding.receive(frame.prefix(split)) == (split == frame.count ? [.message(frame)] : []))
                if split < frame.count { #expect(feeding.receive(frame.dropFirst(split)) == [.message(frame)]) }
                #expect(!feeding.awaitsSilence)
            }
        }
    }

    @Test func `frames come in reads of any size`() {
        let frames = ModbusExchange.all.map { ModbusTCPFraming().sealed($0.response, transactionID: 0x1234) }
        for size in 1...40 {
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(frames.flatMap(\.self), inReadsOf: size) == frames.map { .message($0) })
        }
    }

    @Test func `a late answer and the right one may come together`() {
        let late: [UInt8] = [0, 0x0F, 0, 0, 0, 0x13, 0x32, 3, 0x10] + [UInt8](repeating: 7, count: 16)
        let right: [UInt8] = [0, 0x10, 0, 0, 0, 0x0B, 0x32, 3, 8] + [UInt8](repeating: 9, count: 8)
        var feeding = ReaderFeeding(.modbus)
        #expect(feeding.receive(late + right) == [.message(late), .message(right)])
    }

    @Test(
        arguments: [
            // One too many, 0x47 for 7, an exception, a write's echo.
            ([0, 6, 1, 3, 2, 0x39, 2], 6, 5), ([0, 0x47, 1, 3, 4, 0, 1, 0, 2], 0x47, 7), ([0, 4, 1, 0x83, 2], 4, 3),
            ([0, 9, 1, 6, 0, 1, 0, 3], 9, 6),
        ] as [([UInt8], Int, Int)]
    )
    func `a header that announces more than came is damage as soon as the content is complete`(
        _ rest: [UInt8],
        _ announced: Int,
        _ content: Int
    ) {
        let frame = [0x12, 0x34, 0, 0] + rest
        var feeding = ReaderFeeding(.modbus)
        #expect(feeding.receive(frame) == [Self.damage(announced, content)])
        #expect(feeding.hasEnded)
        // Nothing that follows is taken for the rest, or for an answer.
        #expect(feeding.receive(Self.answer) == [])

        for split in 1..<frame.count {
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(frame.prefix(split)) == [])
            #expect(feeding.receive(frame.dropFirst(split)) == [Self.damage(announced, content)])
        }
    }

    @Test func `a header that announces more swallows no answer that came with it`() {
        let long: [UInt8] = [0x12, 0x34, 0, 0, 0, 0x47, 1, 3, 4, 0, 1, 0, 2]
        let others = (1...5).flatMap { [0, $0] + Self.answer.dropFirst(2) }
        for count in stride(from: 0, through: others.count, by: 13) {
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(long + others.prefix(count)) == [Self.damage(0x47, 7)])
        }
    }

    @Test func `with a checksum the content ends behind it`() {
        let whole = ModbusTCPWithCRCFraming().sealed([1, 3, 2, 0, 7], transactionID: 0x1234)
        var long = whole
        long[5] += 1
        var feeding = ReaderFeeding(.modbusRTU)
        #expect(feeding.receive(long.dropLast()) == [])
        #expect(feeding.receive(long.suffix(1)) == [Self.damage(8, 7)])
    }

    // What is missing could be the beginning of the next frame.
    @Test func `a header that announces less than its content is damage`() {
        let short: [UInt8] = [0x12, 0x34, 0, 0, 0, 6, 0x31, 4, 4, 0, 0, 0]
        var feeding = ReaderFeeding(.modbus)
        #expect(feeding.receive(short + [0]) == [Self.damage(6, 7)])
        #expect(feeding.hasEnded)
        // The rest did not come: then nothing speaks against the next frame.
        var alone = ReaderFeeding(.modbus)
        #expect(alone.receive(short) == [Self.damage(6, 7, isInStep: true)])
        #expect(alone.receive(Self.answer) == [.message(Self.answer)])
    }

    @Test(
        arguments: [
            [0, 4, 0xC0, 0x60, 0x60, 0], [0, 8, 0xC0, 0x30, 0x30, 0, 0, 0, 0, 0], [0, 2, 1, 3], [0, 4, 1, 0x83, 2, 0],
        ] as [[UInt8]]
    )
    func `a shredded frame that is whole by its header is for the core to judge`(_ rest: [UInt8]) {
        var feeding = ReaderFeeding(.modbus)
        #expect(feeding.receive([0x12, 0x34, 0, 0] + rest + Self.answer).count == 2)
        #expect(!feeding.hasEnded)
    }

    @Test func `a shredded frame whose byte count is a large one leaves the next one alone`() {
        var feeding = ReaderFeeding(.modbus)
        let shredded: [UInt8] = [0x12, 0x34, 0, 0, 0, 4, 0x1B, 2, 0xFF, 0xE2]
        #expect(feeding.receive(shredded) == [Self.damage(4, 258, isInStep: true)])
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
    }

    @Test func `a surplus of up to seven bytes in a whole frame is passed on, more could be another answer`() {
        for surplus in 1...12 {
            let frame: [UInt8] =
                [0x12, 0x34, 0, 0, 0, UInt8(7 + surplus), 1, 3, 4, 0x4D, 0x89, 0x86, 0x10]
                + [UInt8](repeating: 0x5F, count: surplus)
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(frame) == [surplus < 8 ? .message(frame) : Self.damage(7 + surplus, 7)])
        }
    }

    @Test func `registers wider than 16 bit are as long as their byte count says`() {
        for frame: [UInt8] in [
            [0, 1, 0, 0, 0, 7, 1, 4, 4, 0, 0, 0, 1],
            [0, 1, 0, 0, 0, 15, 1, 3, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        ] {
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(frame) == [.message(frame)])
        }
    }

    @Test func `functions of unknown form are framed by the header alone`() {
        for message: [UInt8] in [
            [1, 0x41], [1, 0x41, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9], [1, 43, 13, 0], [1, 8, 0, 0, 1],
        ] {
            let frame = ModbusTCPFraming().sealed(message, transactionID: 7)
            var feeding = ReaderFeeding(.modbus)
            #expect(feeding.receive(frame.dropLast()) == [])
            #expect(feeding.receive(frame.suffix(1)) == [.message(frame)])
        }
    }

    @Test func `what is no header cannot be read any further`() {
        var feeding = ReaderFeeding(.modbus)
        let outcomes = feeding.receive(Self.answer + [0, 1, 0, 9])
        #expect(outcomes.count == 2 && outcomes[0] == .message(Self.answer))
        #expect(outcomes[1] == .unreadable("something other than Modbus/TCP: the protocol id is 9 instead of 0"))
        #expect(feeding.receive(Self.answer) == [])
    }

    // MARK: Without

    private static let tooMuch = ReaderFeeding.Outcome.unreadable("more than it was asked for")

    @Test func `the one line that follows a request answers it, in any reads`() {
        let line = Array("answer\n".utf8)
        for size in 1...8 {
            var feeding = ReaderFeeding(.echo, asking: Array("ask\n".utf8))
            #expect(feeding.receive(line, inReadsOf: size) == [.message(line)])
        }
    }

    @Test(arguments: ["one\ntwo\n", "one\ntw", "one\n\n"])
    func `of a line with anything behind it nothing is trusted`(_ text: String) {
        var feeding = ReaderFeeding(.echo, asking: Array("ask\n".utf8))
        #expect(feeding.receive(Array(text.utf8)) == [Self.tooMuch])
        #expect(feeding.receive(Array("three\n".utf8)) == [])
    }

    @Test func `a line that began before its request was sent does not answer it`() {
        var feeding = ReaderFeeding(.echo)
        #expect(feeding.receive(Array("ear".utf8)) == [])
        feeding.ask(Array("ask\n".utf8))
        #expect(feeding.receive(Array("ly\n".utf8)) == [Self.tooMuch])
    }

    @Test func `an unsolicited line is for the core to judge`() {
        var feeding = ReaderFeeding(.echo)
        #expect(feeding.receive(Array("unasked\n".utf8)) == [.message(Array("unasked\n".utf8))])
    }

    // Modbus/TCP of a device that does not repeat ids.
    @Test func `where ids are ignored, content counts as it does elsewhere and order as on other wires`() throws {
        let spoken = try #require(ApplicationProtocol.modbus.ignoringTransactionIDs())
        let question: [UInt8] = [1, 3, 0, 0, 0, 2]
        var feeding = ReaderFeeding(spoken, asking: question)
        #expect(feeding.receive(Self.answer) == [.message(Self.answer)])
        feeding.ask(question)
        #expect(feeding.receive(Self.answer + Self.answer) == [Self.tooMuch])

        var long = Self.answer
        long[5] = 8
        let damage = ReaderFeeding.Outcome.damage(ResponseDamage(.length(announced: 8, content: 7), isInStep: false))
        var damaged = ReaderFeeding(spoken, asking: question)
        #expect(damaged.receive(long) == [damage])
        // Damage to what began before the request is not damage to its answer.
        var early = ReaderFeeding(spoken)
        #expect(early.receive(long.prefix(8)) == [])
        early.ask(question)
        #expect(early.receive(long.dropFirst(8)) == [Self.tooMuch])
    }

    @Test func `what a host begins is told from its answer, wherever it stands`() {
        func message(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }
        let (answer, other, echo) = (message("0210 a"), message("0210 b"), message("0800 hm?"))
        for stream in [[answer], [echo, answer], [answer, echo], [echo, echo, answer, echo]] {
            var feeding = ReaderFeeding(.iso8583, asking: message("0200 a"))
            #expect(feeding.receive(stream.flatMap(\.self)) == stream.map { .message($0) })
        }
        for stream in [[answer, other], [answer, echo, other]] {
            var feeding = ReaderFeeding(.iso8583, asking: message("0200 a"))
            #expect(feeding.receive(stream.flatMap(\.self)) == [Self.tooMuch])
        }
        // A beginning behind an answer may be that of an exchange of the host's, but not that of the next answer.
        for (rest, expected) in [(echo, [.message(echo), .message(answer)]), (other, [Self.tooMuch])] {
            var feeding = ReaderFeeding(.iso8583, asking: message("0200 a"))
            #expect(feeding.receive(answer + rest.prefix(3)) == [.message(answer)])
            feeding.ask(message("0200 a"))
            #expect(feeding.receive(rest.dropFirst(3) + answer) == expected)
        }
    }
}
