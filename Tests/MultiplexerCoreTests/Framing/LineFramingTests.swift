import MultiplexerCore
import Testing

@Suite struct LineFramingTests {
    static let lines: [[UInt8]] = ["hello\n", "\n", "\r\n", "with carriage return\r\n", "grüße\n"].map {
        Array($0.utf8)
    }
    let framing = LineFraming(maximumLength: 32)

    @Test(arguments: lines)
    func `a line ends with its newline`(_ line: [UInt8]) throws {
        #expect(try FrameFeeding(framing).measure(line) == line.count)
        #expect(try FrameFeeding(framing, .response).measure(line + Array("next".utf8)) == line.count)
        #expect(try FrameFeeding(framing).measure(line.dropLast()) == nil)
    }

    @Test(arguments: lines)
    func `a line split anywhere or byte by byte is the same line`(_ line: [UInt8]) throws {
        for index in line.indices {
            var feeding = FrameFeeding(framing)
            #expect(try feeding.feed(line[..<index]).isEmpty)
            #expect(try feeding.feed(line[index...]) == [line])
        }
        var feeding = FrameFeeding(framing)
        for byte in line.dropLast() { #expect(try feeding.feed([byte]).isEmpty) }
        #expect(try feeding.feed(line.suffix(1)) == [line])
    }

    // Trap T1: what follows a frame belongs to the next one.
    @Test func `lines that come together are told apart wherever they are split`() throws {
        let stream = Self.lines.flatMap(\.self)
        for index in 0...stream.count {
            var feeding = FrameFeeding(framing)
            var lines = try feeding.feed(stream[..<index])
            lines += try feeding.feed(stream[index...])
            #expect(lines == Self.lines)
        }
    }

    @Test(arguments: lines)
    func `a line put back into its envelope is the same line`(_ line: [UInt8]) {
        #expect(FrameFeeding(framing).resealed(line) == line)
    }

    @Test func `a line carries no id and is its own message`() {
        #expect(!framing.carriesTransactionIDs)
        #expect(framing.envelope(of: Self.lines[0]) == Envelope(transactionID: 0, message: 0..<6))
    }

    @Test func `the longest line is taken and one byte more is refused before its newline`() throws {
        let longest = [UInt8](repeating: 0x61, count: 31) + [0x0A]
        #expect(try FrameFeeding(framing).measure(longest) == 32)
        #expect(try FrameFeeding(framing).measure(longest.dropLast()) == nil)
        let tooLong = [UInt8](repeating: 0x61, count: 32)
        #expect(FrameFeeding(framing).complaint(about: tooLong) == "a line longer than 32 bytes")
        #expect(FrameFeeding(framing).complaint(about: tooLong + [0x0A]) == "a line longer than 32 bytes")
    }
}
