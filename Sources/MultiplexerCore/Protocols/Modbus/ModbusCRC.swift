/// The checksum of Modbus RTU frames, CRC-16/MODBUS: it ends a frame, low byte first.
///
/// MODBUS over Serial Line Specification and Implementation Guide V1.02, section 6.2.2.
package struct ModbusCRC: Hashable, Sendable {
    /// How many bytes it takes on the wire.
    package static let length = 2

    /// The checksum as a number.
    package let value: UInt16

    /// The checksum of these bytes.
    package init(of bytes: Span<UInt8>) {
        let table = Self.table
        var register: UInt16 = 0xFFFF
        for index in bytes.indices {
            register = register >> 8 ^ table[Int(UInt8(truncatingIfNeeded: register) ^ bytes[index])]
        }
        value = register
    }

    /// The checksum that a frame of at least 2 bytes ends with.
    package init(endOf frame: Span<UInt8>) {
        value = UInt16(frame[frame.count - 1]) << 8 | UInt16(frame[frame.count - 2])
    }

    /// The checksum that a frame of at least 2 bytes ends with, and that of the bytes before it.
    static func foundAndExpected(in frame: Span<UInt8>) -> (found: ModbusCRC, expected: ModbusCRC) {
        (ModbusCRC(endOf: frame), ModbusCRC(of: frame.extracting(..<(frame.count - length))))
    }

    /// Whether a frame of at least 2 bytes ends with its checksum.
    static func isRight(in frame: Span<UInt8>) -> Bool {
        let (found, expected) = foundAndExpected(in: frame)
        return found == expected
    }

    /// The first byte on the wire.
    package var low: UInt8 { UInt8(truncatingIfNeeded: value) }
    /// The second byte on the wire.
    package var high: UInt8 { UInt8(truncatingIfNeeded: value >> 8) }

    /// What each value of a byte does to the register, by the polynomial x¹⁶ + x¹⁵ + x² + 1, reflected.
    private static let table: [UInt16] = (0...255).map { byte in
        (0..<8).reduce(byte) { register, _ in register & 1 == 0 ? register >> 1 : register >> 1 ^ 0xA001 }
    }
}

extension ModbusCRC: CustomStringConvertible {
    /// The two bytes as they stand on the wire, such as "CD C5".
    package var description: String { "\(low.hex) \(high.hex)" }
}

extension Array where Element == UInt8 {
    /// Appends the checksum of the bytes from `start` on.
    mutating func appendCRC(ofBytesFrom start: Int) {
        let checksum = ModbusCRC(of: span.extracting(start...))
        append(checksum.low)
        append(checksum.high)
    }
}

extension UInt8 {
    /// Two digits, such as "0B".
    fileprivate var hex: String { (self < 0x10 ? "0" : "") + String(self, radix: 16, uppercase: true) }
}
