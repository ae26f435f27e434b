/// Modbus/TCP: the MBAP header, then unit id and PDU.
///
/// ```
///  0       2       4       6      7
/// +-------+-------+-------+------+----------------+
/// | id    | 0     | length| unit | function, data |    length counts from the unit id on
/// +-------+-------+-------+------+----------------+
/// ```
///
/// Modbus Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3. The message is unit id and PDU.
package struct ModbusTCPFraming: Framing {
    /// What the length field may say: a unit id and a PDU of 1 to 253 bytes.
    package static let lengths = 2...254

    /// MBAP headers carry a transaction id; not every device repeats it.
    package let carriesTransactionIDs: Bool

    /// The framing of devices that repeat transaction ids, or of those whose ids are ignored.
    package init(ignoringTransactionIDs: Bool = false) {
        carriesTransactionIDs = !ignoringTransactionIDs
    }

    /// Reads the MBAP header: protocol id 0, 2 ≤ length ≤ 254.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        try MBAPHeader.frameLength(in: bytes, lengths: Self.lengths)
    }

    /// The id is the header's first two bytes; the message is all that follows the header.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(
            transactionID: carriesTransactionIDs ? MBAPHeader.transactionID(of: frame) : 0,
            message: MBAPHeader.length..<frame.count
        )
    }

    /// That of the MBAP header.
    package var headerRoom: Int { MBAPHeader.length }

    /// Writes the MBAP header.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {
        MBAPHeader.write(transactionID, into: &frame)
    }
}
