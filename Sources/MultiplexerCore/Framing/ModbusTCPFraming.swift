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
    static let headerLength = 6

    /// The one Modbus/TCP framing: it has nothing to set.
    package init() {}

    /// MBAP headers carry a transaction id.
    package var carriesTransactionIDs: Bool { true }

    /// Reads the MBAP header: protocol id 0, 2 ≤ length ≤ 254.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        answering request: Request?
    ) throws(FramingError) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let protocolID = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        guard protocolID == 0 else {
            throw FramingError("something other than Modbus/TCP: the protocol id is \(protocolID) instead of 0")
        }
        guard bytes.count >= Self.headerLength else { return nil }
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        guard Self.lengths.contains(length) else {
            throw FramingError(
                "a Modbus/TCP header with length \(length); \(Self.lengths.lowerBound) to \(Self.lengths.upperBound) are allowed"
            )
        }
        return Self.headerLength + length
    }

    /// The id is the header's first two bytes; the message is all behind the header.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(
            transactionID: UInt16(frame[0]) << 8 | UInt16(frame[1]),
            message: Self.headerLength..<frame.count
        )
    }

    /// Appends an MBAP header and the message.
    package func seal(_ message: Span<UInt8>, transactionID: UInt16, into output: inout [UInt8]) {
        output.append(UInt8(truncatingIfNeeded: transactionID >> 8))
        output.append(UInt8(truncatingIfNeeded: transactionID))
        output.append(0)
        output.append(0)
        output.append(UInt8(truncatingIfNeeded: message.count >> 8))
        output.append(UInt8(truncatingIfNeeded: message.count))
        output.append(contentsOf: message)
    }
}

extension ApplicationProtocol {
    /// Modbus/TCP.
    public static let modbus = ApplicationProtocol(
        name: "modbus",
        aliases: ["modbus-tcp"],
        summary: "Modbus/TCP: inverters, meters, wallboxes, PLCs, usually on port 502",
        messages: .modbus,
        framing: ModbusTCPFraming(),
        messageRules: ModbusMessageRules()
    )
}
