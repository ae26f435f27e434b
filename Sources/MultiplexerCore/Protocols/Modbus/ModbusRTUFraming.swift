/// Modbus RTU, as on a serial line, over a stream: unit id, PDU, CRC.
///
/// ```
///  0      1                 length - 2
/// +------+----------------+-----------+
/// | unit | function, data | CRC       |    4 to 256 bytes
/// +------+----------------+-----------+
/// ```
///
/// MODBUS over Serial Line Specification and Implementation Guide V1.02, section 2.5.1. The message is unit id and PDU.
///
/// On a serial line a silence ends a frame; a stream keeps no silence. So the function code and the direction tell where a
/// frame ends, in addition the request where they do not, and the checksum shows whether that was right. Frames of
/// functions whose form no standard tells are the whole of what has arrived, once its checksum is right: never a shorter
/// part of it, whose last bytes could look like a checksum by chance. The line also brings bytes that belong to no frame,
/// and frames of others, so the response to a request is looked for among them (``ModbusRTUSearch``).
package struct ModbusRTUFraming: Framing {
    /// How long a frame may be.
    package static let lengths = 4...256

    /// The one Modbus RTU framing: it has nothing to set.
    package init() {}

    /// Nothing in a frame tells responses of equal requests apart.
    package var carriesTransactionIDs: Bool { false }

    /// Reads what the function says about the length and, once the frame is whole, the checksum.
    ///
    /// A wrong checksum alone is damage, and reading goes on after a silence.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        guard bytes.count >= 2 else { return nil }
        let extent =
            switch direction {
            case .request: try ModbusExtent(ofRequest: bytes)
            case .response: ModbusExtent(ofResponse: bytes, requested: request?.responseLength)
            }
        return switch extent {
        case nil: nil
        case .bytes(let length): try checkedLength(length + ModbusCRC.length, in: bytes)
        case .unknown: try lengthOfEverything(bytes)
        }
    }

    /// Finds it by unit, function and checksum.
    package func findResponse(in bytes: Span<UInt8>, _ sought: SoughtResponse) -> ResponseFinding? {
        ModbusRTUSearch(sought).find(in: bytes)
    }

    /// The message stands before the checksum.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: 0..<frame.count - ModbusCRC.length)
    }

    /// Nothing stands before the message.
    package var headerRoom: Int { 0 }

    /// Appends the message's checksum.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {
        frame.appendCRC(ofBytesFrom: 0)
    }

    private func checkedLength(_ length: Int, in bytes: Span<UInt8>) throws(FramingError) -> Int {
        guard length <= Self.lengths.upperBound else {
            throw .frame("of \(length) bytes; \(Self.lengths.upperBound) are allowed", of: bytes)
        }
        guard bytes.count >= length else { return length }
        let (found, expected) = ModbusCRC.foundAndExpected(in: bytes.extracting(..<length))
        guard found == expected else {
            throw .frame("with checksum \(found) instead of \(expected)", of: bytes, isDamage: true)
        }
        return length
    }

    private func lengthOfEverything(_ bytes: Span<UInt8>) throws(FramingError) -> Int? {
        if Self.lengths.contains(bytes.count), ModbusCRC.isRight(in: bytes) { return bytes.count }
        guard bytes.count < Self.lengths.upperBound else {
            throw .frame("of \(bytes.count) bytes that do not end with their checksum", of: bytes)
        }
        return nil
    }
}

extension FramingError {
    /// A frame of this beginning that is not as it should be.
    static func frame(_ what: String, of bytes: Span<UInt8>, isDamage: Bool = false) -> FramingError {
        FramingError("a Modbus RTU frame of unit \(bytes[0]), function \(bytes[1]), \(what)", isDamage: isDamage)
    }
}
