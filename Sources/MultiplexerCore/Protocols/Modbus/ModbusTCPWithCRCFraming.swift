/// Modbus/TCP with the checksum of a serial line left in: the MBAP header, unit id, PDU, CRC.
///
/// ```
///  0       2       4       6      7               length + 4
/// +-------+-------+-------+------+----------------+-----------+
/// | id    | 0     | length| unit | function, data | CRC       |    length counts from the unit id on, the CRC too
/// +-------+-------+-------+------+----------------+-----------+
///                          <----- checked by CRC -->
/// ```
///
/// No standard describes it; the Go program calls it modbus-rtu. The message is unit id and PDU.
package struct ModbusTCPWithCRCFraming: Framing {
    /// What the length field may say: a unit id, a PDU of 1 to 253 bytes and the checksum.
    package static let lengths = 4...256

    /// MBAP headers carry a transaction id; not every device repeats it.
    package let carriesTransactionIDs: Bool

    /// The framing of devices that repeat transaction ids, or of those whose ids are ignored.
    package init(ignoringTransactionIDs: Bool = false) {
        carriesTransactionIDs = !ignoringTransactionIDs
    }

    /// Reads the MBAP header and, once the frame is whole, the checksum.
    ///
    /// A wrong checksum is the end of the stream and not mere damage: TCP has brought what was sent, so the sender counts
    /// differently, and no silence separates its frames.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        guard let length = try MBAPHeader.frameLength(in: bytes, lengths: Self.lengths) else { return nil }
        guard bytes.count >= length else { return length }
        let frame = bytes.extracting(..<length)
        let (found, expected) = (ModbusCRC(endOf: frame), ModbusCRC(of: frame.extracting(envelope(of: frame).message)))
        guard found == expected else {
            throw FramingError("a Modbus/TCP frame with checksum \(found) instead of \(expected)")
        }
        return length
    }

    /// The id is the header's first two bytes; the message stands between the header and the checksum.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(
            transactionID: carriesTransactionIDs ? MBAPHeader.transactionID(of: frame) : 0,
            message: MBAPHeader.length..<frame.count - ModbusCRC.length
        )
    }

    /// That of the MBAP header.
    package var headerRoom: Int { MBAPHeader.length }

    /// Writes the MBAP header and appends the message's checksum.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {
        frame.appendCRC(ofBytesFrom: MBAPHeader.length)
        MBAPHeader.write(transactionID, into: &frame)
    }
}
