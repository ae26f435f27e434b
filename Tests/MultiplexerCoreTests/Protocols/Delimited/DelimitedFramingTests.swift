import MultiplexerCore
import Testing

@Suite struct DelimitedFramingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let delimiter: [UInt8]
        let frames: [[UInt8]]

        init(_ description: String, _ delimiter: [UInt8], _ frames: [[UInt8]]) {
            testDescription = description
            self.delimiter = delimiter
            self.frames = frames
        }
    }

    static let cases: [Case] = [
        Case(
            "lines",
            [0x0A],
            ["hello\n", "\n", "\r\n", "with carriage return\r\n", "grüße\n", "\u{0}\n"].map { Array($0.utf8) }
        ),
        Case(
            "CR LF, and each of them alone",
            [0x0D, 0x0A],
            ["hello\r\n", "\r\n", "a\nb\rc\r\n", "\r\r\n", "\n\r\n", "\r\r\r\r\r\r\r\r\r\r\n"].map { Array($0.utf8) }
        ),
        Case("one byte behind many", [0x03], [[UInt8](repeating: 0x02, count: 40) + [0x03], [0x03], [0xFF, 0x03]]),
        // The search takes eight bytes at a time: those that differ by one from the one sought must not be taken for it.
        Case("the null byte", [0x00], [[0x01, 0x00], [0x80, 0x01, 0x01, 0xFF, 0x01, 0x80, 0x7F, 0x81, 0x01, 0x00]]),
        Case("the highest byte", [0xFF], [[0xFE, 0x7F, 0xFE, 0xFE, 0xFE, 0x7F, 0xFE, 0xFE, 0xFF], [0xFF]]),
        Case(
            "a delimiter that begins with itself",
            [0x41, 0x41, 0x42],
            [[0x41, 0x41, 0x41, 0x42], [0x41, 0x42, 0x41, 0x41, 0x42], [0x41, 0x41, 0x42]]
        ),
        Case(
            "the longest delimiter",
            Array("0123456789abcdef".utf8),
            [Array("0123456789abcde0123456789abcdef".utf8), Array("0123456789abcdef".utf8)]
        ),
    ]

    @Test(arguments: cases)
    func `a message ends with its delimiter wherever the stream is split`(_ table: Case) throws {
        try expectWholeFrames(
            table.frames,
            DelimitedFraming(delimiter: table.delimiter, maximumLength: 64)
        )
    }

    @Test func `a delimiter is found at every place`() throws {
        let framing = try DelimitedFraming(delimiter: [0x0A])
        for length in 1...40 {
            let line = [UInt8](repeating: 0x0B, count: length - 1) + [0x0A]
            for more in 0...20 {
                #expect(try FrameFeeding(framing).measure(line + [UInt8](repeating: 0x0A, count: more)) == length)
            }
        }
    }

    @Test func `whatever the delimiter, its first occurrence is found`() throws {
        for _ in 0..<5_000 {
            let delimiter = (0..<Int.random(in: 1...6)).map { _ in UInt8.random(in: 0...1) }
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...1) }
            let expected = bytes.indices.first { bytes[$0...].starts(with: delimiter) }.map { $0 + delimiter.count }
            #expect(
                try FrameFeeding(DelimitedFraming(delimiter: delimiter)).measure(bytes) == expected,
                "\(delimiter) in \(bytes)"
            )
        }
    }

    @Test(arguments: [[0x0A], [0x0D, 0x0A], [0x00, 0x00, 0x00]] as [[UInt8]])
    func `the longest message is taken and one byte more is refused before its delimiter`(_ delimiter: [UInt8]) throws {
        let framing = try DelimitedFraming(delimiter: delimiter, maximumLength: 32)
        let longest = [UInt8](repeating: 0x61, count: 32 - delimiter.count) + delimiter
        #expect(try FrameFeeding(framing).measure(longest) == 32)
        #expect(try FrameFeeding(framing).measure(longest.dropLast()) == nil)
        let words = "a \(delimiter.last == 0x0A ? "line" : "message") longer than 32 bytes"
        #expect(FrameFeeding(framing).complaint(about: [0x61] + longest) == words)
        #expect(FrameFeeding(framing).complaint(about: ([0x61] + longest).dropLast()) == words)
        #expect(FrameFeeding(framing).complaint(about: [UInt8](repeating: 0x61, count: 32)) == words)
    }

    @Test(
        arguments: [
            ([], 64, "a delimiter has 1 to 16 bytes, not 0"),
            ([UInt8](repeating: 0, count: 17), 64, "a delimiter has 1 to 16 bytes, not 17"),
            (
                [0x0D, 0x0A], 1, "messages with a delimiter may be limited to 2 to 1048576 bytes, not to 1"
            ),
            (
                [0x0A], 1_048_577, "messages with a delimiter may be limited to 1 to 1048576 bytes, not to 1048577"
            ),
            ([0x0A], -1, "messages with a delimiter may be limited to 1 to 1048576 bytes, not to -1"),
        ] as [([UInt8], Int, String)]
    )
    func `settings that cannot be are refused with the reason`(_ delimiter: [UInt8], _ maximum: Int, _ words: String) {
        let error = #expect(throws: InvalidSettings.self) {
            try DelimitedFraming(delimiter: delimiter, maximumLength: maximum)
        }
        #expect(error?.description == words)
    }

    @Test func `without settings echo is lines and delimited is CR LF, of 65,536 bytes`() throws {
        let echo = try #require(ApplicationProtocol.echo.framing as? DelimitedFraming)
        #expect(echo.delimiter == [0x0A] && echo.maximumLength == 65_536)
        let delimited = try #require(ApplicationProtocol.delimited.framing as? DelimitedFraming)
        #expect(delimited.delimiter == [0x0D, 0x0A] && delimited.maximumLength == 65_536)
    }

    @Test func `settings reach the framing`() throws {
        let echo = try ApplicationProtocol.echo(maximumLength: 80)
        #expect(echo.name == "echo" && (echo.framing as? DelimitedFraming)?.maximumLength == 80)
        let delimited = try ApplicationProtocol.delimited(by: [0x03], maximumLength: 10)
        let framing = try #require(delimited.framing as? DelimitedFraming)
        #expect(delimited.name == "delimited" && framing.delimiter == [0x03] && framing.maximumLength == 10)
    }
}
