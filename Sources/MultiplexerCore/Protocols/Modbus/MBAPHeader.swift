/// The header that Modbus/TCP puts before a message: transaction id, protocol id 0, length of what follows.
///
/// Modbus Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3; there the unit id counts as part of it.
enum MBAPHeader {
    static let length = 6

    /// Measures the frame that begins like this.
    ///
    /// - Parameters:
    ///   - bytes: The beginning of the frame.
    ///   - lengths: What the length field may say.
    /// - Returns: The frame's length in bytes; nil when more are needed to tell.
    /// - Throws: ``FramingError`` when the protocol id is not 0 or the length not allowed.
    static func frameLength(
        in bytes: Span<UInt8>,
        lengths: ClosedRange<Int>
    ) throws(FramingError) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let protocolID = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        guard protocolID == 0 else {
            throw FramingError("something other than Modbus/TCP: the protocol id is \(protocolID) instead of 0")
        }
        guard bytes.count >= Self.length else { return nil }
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        guard lengths.contains(length) else {
            throw FramingError(
                "a Modbus/TCP header with length \(length); \(lengths.lowerBound) to \(lengths.upperBound) are allowed"
            )
        }
        return Self.length + length
    }

    /// How long a response is by its message's function, with a checksum of `checksum` bytes; nil where that cannot be told.
    static func contentLength(ofResponse frame: Span<UInt8>, checksum: Int) -> Int? {
        guard frame.count >= Self.length + 2,
            case .bytes(let length)? = ModbusExtent(ofResponse: frame.extracting(Self.length...))
        else { return nil }
        return Self.length + length + checksum
    }

    /// The transaction id of a whole frame.
    static func transactionID(of frame: Span<UInt8>) -> UInt16 {
        UInt16(frame[0]) << 8 | UInt16(frame[1])
    }

    /// Writes the header of a frame over its first bytes.
    static func write(_ transactionID: UInt16, into frame: inout [UInt8]) {
        var bytes = frame.mutableSpan
        let length = bytes.count - Self.length
        bytes[0] = UInt8(truncatingIfNeeded: transactionID >> 8)
        bytes[1] = UInt8(truncatingIfNeeded: transactionID)
        bytes[2] = 0
        bytes[3] = 0
        bytes[4] = UInt8(truncatingIfNeeded: length >> 8)
        bytes[5] = UInt8(truncatingIfNeeded: length)
    }
}

extension ModbusTCPFraming {
    /// A byte count or the function tells it.
    package func contentLength(ofResponse frame: Span<UInt8>) -> Int? {
        MBAPHeader.contentLength(ofResponse: frame, checksum: 0)
    }
}

extension ModbusTCPWithCRCFraming {
    /// A byte count or the function tells it.
    package func contentLength(ofResponse frame: Span<UInt8>) -> Int? {
        MBAPHeader.contentLength(ofResponse: frame, checksum: ModbusCRC.length)
    }
}
