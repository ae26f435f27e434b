/// A length before each message.
///
/// The whole frame is the message, so that header bytes pass through as they are.
package struct LengthPrefixFraming: Framing {
    /// How the length is written.
    package let prefix: LengthPrefix

    /// Frames with such a length before them.
    package init(_ prefix: LengthPrefix) {
        self.prefix = prefix
    }

    /// Nothing but the length is known of such messages.
    package var carriesTransactionIDs: Bool { false }

    /// Reads the length.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        guard bytes.count >= prefix.bodyOffset else { return nil }
        let counted = try number(in: bytes.extracting(prefix.headerBytes..<prefix.bodyOffset))
        guard counted >= prefix.bodyOffset || !prefix.includesHeader else {
            throw FramingError(
                "a length of \(counted), which should count at least the \(prefix.bodyOffset) bytes up to its own end"
            )
        }
        let length = counted + (prefix.includesHeader ? 0 : prefix.bodyOffset) + prefix.uncountedBytes
        guard length <= prefix.maximumLength else {
            throw FramingError(
                "a length that makes a message of \(length) bytes; at most \(prefix.maximumLength) are allowed"
            )
        }
        return length
    }

    /// The whole frame is the message.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: 0..<frame.count)
    }

    /// None: the message has its length already.
    package var headerRoom: Int { 0 }

    /// Adds nothing: the message has its length already.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {}

    /// The number in a length field; at most 4 bytes, which no format makes overflow.
    private func number(in field: Span<UInt8>) throws(FramingError) -> Int {
        var number = 0
        for index in field.indices {
            let byte = Int(field[prefix.order == .big ? index : field.count - 1 - index])
            switch prefix.format {
            case .binary:
                number = number << 8 | byte
            case .ascii:
                guard (0x30...0x39).contains(byte) else { throw notDecimal(field) }
                number = number * 10 + byte - 0x30
            case .bcd:
                guard byte >> 4 < 10, byte & 0x0F < 10 else { throw notDecimal(field) }
                number = number * 100 + (byte >> 4) * 10 + (byte & 0x0F)
            }
        }
        return number
    }

    private func notDecimal(_ field: Span<UInt8>) -> FramingError {
        var text = ""
        for index in field.indices {
            text +=
                (index == 0 ? "" : " ") + (field[index] < 16 ? "0" : "")
                + String(field[index], radix: 16, uppercase: true)
        }
        let digits = prefix.format == .ascii ? "ASCII digits" : "BCD digits"
        return FramingError("a length field that is not made of \(digits): \(text) (hexadecimal)")
    }
}
