/// Finds the ends of empty lines in a stream that comes in pieces.
///
/// A chunked message ends nowhere else (RFC 9112, section 7.1): after the last chunk, or after the trailer fields. Most
/// empty lines are part of a chunk; which one ends the message is llhttp's to say.
package struct HTTPEmptyLineFinder: Sendable {
    /// How many bytes of CR LF CR LF the stream ends with.
    private var matched = 0

    /// A finder at the beginning of a body.
    package init() {}

    /// Scans up to the end of the next empty line.
    ///
    /// - Parameter bytes: What follows the bytes that were scanned before.
    /// - Returns: How many bytes were scanned; all of them when no empty line ends here.
    package mutating func scan(_ bytes: Span<UInt8>) -> Int {
        for index in 0..<bytes.count {
            switch (bytes[index], matched) {
            case (0x0D, 0), (0x0D, 2), (0x0A, 1): matched += 1
            case (0x0D, _): matched = 1
            case (0x0A, 3):
                // The end of this empty line may be the beginning of the next.
                matched = 2
                return index + 1
            default: matched = 0
            }
        }
        return bytes.count
    }
}
