import MultiplexerCore

extension FramingUnderTest {
    /// Lines, long and short.
    static let lines = [65_536, 64, 16, 2, 1].compactMap { delimited([0x0A], $0) }

    /// Delimiters that make the search stumble, if anything does.
    static let delimited: [FramingUnderTest] = [
        [0x0D, 0x0A], [0x00], [0xFF], [0x41, 0x41, 0x42], [0x00, 0x00, 0x00], Array("0123456789abcdef".utf8),
    ].flatMap { delimiter in
        [65_536, 64, delimiter.count].compactMap { delimited(delimiter, $0) }
    }

    private static func delimited(_ delimiter: [UInt8], _ maximum: Int) -> FramingUnderTest? {
        guard let framing = try? DelimitedFraming(delimiter: delimiter, maximumLength: maximum) else { return nil }
        var tested = FramingUnderTest(framing, maximumLength: maximum)
        tested.expected = { bytes in
            let lengths = 0...min(bytes.count, maximum)
            if let end = lengths.first(where: { bytes.prefix($0).suffix(delimiter.count).elementsEqual(delimiter) }) {
                return .length(end)
            }
            return bytes.count < maximum ? .open : .error(FramingError("too long"))
        }
        return tested
    }
}
