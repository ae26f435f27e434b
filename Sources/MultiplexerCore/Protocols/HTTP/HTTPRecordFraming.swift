/// HTTP messages as they travel inside the program: a length, then a record that holds a whole message.
///
/// ```
///  0        4      5
/// +--------+------+------------------+
/// | length | kind | what it says ... |     length counts from the kind on
/// +--------+------+------------------+
/// ```
///
/// On the wire HTTP/1 is cut by NIOHTTP1, at the edges of each channel; everything in between sees these records.
package struct HTTPRecordFraming: Framing {
    /// The bytes of the length.
    package static let headerLength = 4

    /// The one framing of records: it has nothing to set.
    package init() {}

    /// HTTP/1 answers in the order it was asked.
    package var carriesTransactionIDs: Bool { false }

    /// Reads the length.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        guard bytes.count >= Self.headerLength else { return nil }
        var length = 0
        for index in 0..<Self.headerLength { length = length << 8 | Int(bytes[index]) }
        return Self.headerLength + length
    }

    /// The message is the record.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: Self.headerLength..<frame.count)
    }

    /// That of the length.
    package var headerRoom: Int { Self.headerLength }

    /// Writes the length.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {
        let length = frame.count - Self.headerLength
        for index in 0..<Self.headerLength {
            frame[index] = UInt8(truncatingIfNeeded: length >> (8 * (Self.headerLength - 1 - index)))
        }
    }
}
