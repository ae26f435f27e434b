/// The message type indicator (MTI) that an ISO 8583 message begins with: four decimal digits, such as 0200.
///
/// It is written in ASCII, one digit a byte, or in BCD, two digits a byte.
package struct ISO8583MessageType: Hashable, Sendable {
    /// The edition of the standard: 0 for 1987, 1 for 1993, 2 for 2003.
    package let version: UInt8
    /// What the message is about: 1 authorization, 2 financial, 4 reversal, 8 network management, and so on.
    package let messageClass: UInt8
    /// The message's place in an exchange: even digits begin one, the odd one above each ends it.
    package let function: UInt8
    /// Who sends it, and whether again.
    package let origin: UInt8

    /// Reads the MTI at `offset`, or after a TPDU there: 60 (hexadecimal) and four bytes of addresses.
    ///
    /// Nil where no message of the three editions begins.
    package init?(in bytes: Span<UInt8>, at offset: Int) {
        guard let position = MTIPosition(in: bytes, at: offset) else { return nil }
        version = position.digit(0, in: bytes)
        messageClass = position.digit(1, in: bytes)
        function = position.digit(2, in: bytes)
        origin = position.digit(3, in: bytes)
    }

    /// Whether it begins an exchange.
    package var begins: Bool { function & 1 == 0 }

    /// Whether someone who sends this waits for an answer.
    ///
    /// Answers and acknowledgements have none; notifications have one in the edition of 2003 only.
    package var expectsResponse: Bool {
        switch function {
        case 0, 2, 6: true
        case 4: version == 2
        default: false
        }
    }

    /// Makes the message at `offset` one that ends the exchange which it begins: 0200 becomes 0210.
    ///
    /// A message without an MTI, or one that ends an exchange, stays as it is.
    package static func makeResponse(_ bytes: inout [UInt8], at offset: Int) {
        guard let position = MTIPosition(in: bytes.span, at: offset) else { return }
        bytes[position.offset + (position.isBCD ? 1 : 2)] |= position.isBCD ? 0x10 : 1
    }
}

/// Where an MTI stands and how it is written.
private struct MTIPosition {
    let offset: Int
    let isBCD: Bool

    init?(in bytes: Span<UInt8>, at offset: Int) {
        guard offset >= 0, offset < bytes.count else { return nil }
        self.offset = bytes[offset] == 0x60 ? offset + 5 : offset
        // No BCD version and class looks like an ASCII digit: those begin with 3.
        guard self.offset < bytes.count else { return nil }
        isBCD = bytes[self.offset] >> 4 != 3
        guard self.offset + (isBCD ? 2 : 4) <= bytes.count else { return nil }
        guard isBCD || (0..<4).allSatisfy({ bytes[self.offset + $0] >> 4 == 3 }) else { return nil }
        guard
            digit(0, in: bytes) <= 2, (1...8).contains(digit(1, in: bytes)), digit(2, in: bytes) <= 9,
            digit(3, in: bytes) <= 9
        else { return nil }
    }

    func digit(_ index: Int, in bytes: Span<UInt8>) -> UInt8 {
        guard isBCD else { return bytes[offset + index] & 0x0F }
        let byte = bytes[offset + index / 2]
        return index % 2 == 0 ? byte >> 4 : byte & 0x0F
    }
}

extension ISO8583MessageType: CustomStringConvertible {
    package var description: String { "\(version)\(messageClass)\(function)\(origin)" }
}
