/// Messages that end with a delimiter, which belongs to them: lines, for example.
package struct DelimitedFraming: Framing {
    /// How many bytes a delimiter may have.
    package static let delimiterLengths = 1...16
    /// The longest message that may be asked for: each piece that comes of one is searched from its beginning.
    package static let largestMaximum = 1_048_576
    /// How long a message may be when nothing else is asked for.
    package static let defaultMaximum = 65_536

    /// What ends a message.
    package let delimiter: [UInt8]
    /// The longest message in bytes, its delimiter included.
    package let maximumLength: Int

    /// Messages of at most `maximumLength` bytes, the delimiter at their end included.
    ///
    /// - Throws: ``InvalidSettings`` when the delimiter or the length is outside of what is allowed.
    package init(
        delimiter: [UInt8],
        maximumLength: Int = Self.defaultMaximum
    ) throws(InvalidSettings) {
        guard Self.delimiterLengths.contains(delimiter.count) else {
            throw InvalidSettings(
                "a delimiter has \(Self.delimiterLengths.lowerBound) to \(Self.delimiterLengths.upperBound) bytes, not \(delimiter.count)"
            )
        }
        guard (delimiter.count...Self.largestMaximum).contains(maximumLength) else {
            throw InvalidSettings(
                """
                messages with a delimiter may be limited to \(delimiter.count) to \(Self.largestMaximum) bytes, \
                not to \(maximumLength)
                """
            )
        }
        self.init(checked: delimiter, maximumLength)
    }

    private init(checked delimiter: [UInt8], _ maximumLength: Int) {
        self.delimiter = delimiter
        self.maximumLength = maximumLength
    }

    /// Lines: each ends with a newline; a carriage return before it stays where it is.
    package static let lines = DelimitedFraming(checked: [0x0A], defaultMaximum)
    /// Lines that end with a carriage return and a newline, as those of most text protocols.
    package static let crlfLines = DelimitedFraming(checked: [0x0D, 0x0A], defaultMaximum)

    /// Nothing but the delimiter is known of such messages.
    package var carriesTransactionIDs: Bool { false }

    /// Looks for the delimiter.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        respondingTo request: Request?
    ) throws(FramingError) -> Int? {
        let searched = min(bytes.count, maximumLength)
        if let end = bytes.extracting(first: searched).end(ofFirst: delimiter) { return end }
        guard bytes.count < maximumLength else {
            let what = delimiter.last == 0x0A ? "line" : "message"
            throw FramingError("a \(what) longer than \(maximumLength) bytes")
        }
        return nil
    }

    /// The whole frame is the message.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: 0..<frame.count)
    }

    /// None: the message has its delimiter already.
    package var headerRoom: Int { 0 }

    /// Adds nothing: the message has its delimiter already.
    package func seal(_ frame: inout [UInt8], transactionID: UInt16) {}
}

extension Span<UInt8> {
    /// Where the first occurrence of `delimiter` ends, or nil.
    ///
    /// Looks at eight positions at a time, for the first byte and the last: a long message that comes in small pieces is searched
    /// again and again, and a flood of one of the two must not make that slow.
    fileprivate func end(ofFirst delimiter: [UInt8]) -> Int? {
        guard let first = delimiter.first, let last = delimiter.last else { return nil }
        return withUnsafeBytes { bytes in
            let positions = bytes.count - (delimiter.count - 1)
            var position = 0
            while position + 8 <= positions {
                var candidates =
                    bytes.positions(of: first, inEightFrom: position)
                    & bytes.positions(of: last, inEightFrom: position + delimiter.count - 1)
                while candidates != 0 {
                    let candidate = position + candidates.trailingZeroBitCount / 8
                    if bytes.has(delimiter, at: candidate) { return candidate + delimiter.count }
                    candidates &= candidates - 1
                }
                position += 8
            }
            while position < positions {
                if bytes.has(delimiter, at: position) { return position + delimiter.count }
                position += 1
            }
            return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// One bit for each of eight bytes, its highest, which is set where the byte is this one; the first byte is the lowest.
    fileprivate func positions(of byte: UInt8, inEightFrom offset: Int) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = ones * 0x7F
        let differences =
            UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ ones &* UInt64(byte)
        return ~((differences & low) &+ low | differences | low)
    }

    fileprivate func has(_ delimiter: [UInt8], at offset: Int) -> Bool {
        delimiter.indices.allSatisfy { self[offset + $0] == delimiter[$0] }
    }
}
