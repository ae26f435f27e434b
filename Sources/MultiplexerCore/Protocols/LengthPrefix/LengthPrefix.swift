/// How a length before each message is written.
///
/// ```
/// +--------------+--------------+-------------------+
/// | header bytes | length bytes | body              |    the length counts the body,
/// +--------------+--------------+-------------------+    or with includesHeader all of it, but the uncounted bytes
/// ```
public struct LengthPrefix: Hashable, Sendable {
    /// What the length is written with.
    public enum Format: Sendable, CaseIterable {
        /// A binary number.
        case binary
        /// Decimal digits in ASCII, one a byte.
        case ascii
        /// Decimal digits in BCD, two a byte.
        case bcd
    }

    /// Which byte of a binary length comes first.
    public enum Order: Sendable, CaseIterable {
        /// The most significant one: network byte order.
        case big
        /// The least significant one.
        case little
    }

    /// How many bytes stand before the length, 0 to 64: a TPDU, for example.
    ///
    /// They pass through as they are.
    public let headerBytes: Int
    /// How many bytes the length takes: 1, 2 or 4.
    public let lengthBytes: Int
    /// What the length is written with.
    public let format: Format
    /// Which byte of a binary length comes first.
    public let order: Order
    /// Whether the length counts the header bytes and itself, not the body alone.
    public let includesHeader: Bool
    /// How many bytes a frame has beyond those that the length counts, 0 to 64: reserved ones, an address, a checksum.
    public let uncountedBytes: Int
    /// The longest frame in bytes, header bytes and length included.
    public let maximumLength: Int

    /// The numbers of header bytes that are allowed.
    public static let headerByteCounts = 0...64
    /// The numbers of uncounted bytes that are allowed.
    public static let uncountedByteCounts = 0...64
    /// The numbers of length bytes that are allowed.
    public static let lengthByteCounts = [1, 2, 4]
    /// The longest frame that may be asked for: 64 MiB.
    public static let largestMaximum = 67_108_864
    /// The longest frame when nothing else is asked for, where the length can tell more: 1 MiB.
    public static let defaultMaximum = 1_048_576

    /// A length before each message; without arguments two bytes, big-endian, that count the body.
    ///
    /// - Parameters:
    ///   - headerBytes: How many bytes stand before the length, 0 to 64.
    ///   - lengthBytes: How many bytes the length takes: 1, 2 or 4.
    ///   - format: What the length is written with.
    ///   - order: Which byte of a binary length comes first; decimal digits and single bytes have no order to choose.
    ///   - includesHeader: Whether the length counts the header bytes and itself, not the body alone.
    ///   - uncountedBytes: How many bytes a frame has beyond those that the length counts, 0 to 64.
    ///   - maximumLength: The longest frame in bytes, header bytes and length included, up to 64 MiB; nil means what the
    ///     length can tell, but not more than 1 MiB.
    /// - Throws: ``InvalidSettings`` when they cannot be, or not together.
    public init(
        headerBytes: Int = 0,
        lengthBytes: Int = 2,
        format: Format = .binary,
        order: Order = .big,
        includesHeader: Bool = false,
        uncountedBytes: Int = 0,
        maximumLength: Int? = nil
    ) throws(InvalidSettings) {
        guard Self.headerByteCounts.contains(headerBytes) else {
            throw InvalidSettings(
                "0 to \(Self.headerByteCounts.upperBound) bytes may stand before the length, not \(headerBytes)"
            )
        }
        guard Self.lengthByteCounts.contains(lengthBytes) else {
            throw InvalidSettings("a length takes 1, 2 or 4 bytes, not \(lengthBytes)")
        }
        guard order == .big || format == .binary else {
            throw InvalidSettings("decimal digits begin with the highest; only a binary length can be little-endian")
        }
        guard order == .big || lengthBytes > 1 else {
            throw InvalidSettings("a length of one byte has no byte order; it cannot be little-endian")
        }
        let header = headerBytes + lengthBytes
        guard !includesHeader || format.largestLength(in: lengthBytes) >= header else {
            throw InvalidSettings(
                "a length of up to \(format.largestLength(in: lengthBytes)) cannot count a header of \(header) bytes"
            )
        }
        guard Self.uncountedByteCounts.contains(uncountedBytes) else {
            throw InvalidSettings(
                "a message may have 0 to \(Self.uncountedByteCounts.upperBound) bytes that its length does not count, "
                    + "not \(uncountedBytes)"
            )
        }
        let shortest = header + uncountedBytes
        if let maximumLength, !(shortest...Self.largestMaximum).contains(maximumLength) {
            let parts = uncountedBytes > 0 ? "header, length and what it does not count" : "header and length"
            throw InvalidSettings(
                """
                messages with a length before them may be limited to \(shortest) (\(parts)) to \
                \(Self.largestMaximum) bytes, not to \(maximumLength)
                """
            )
        }
        self.init(
            checkedHeaderBytes: headerBytes,
            lengthBytes,
            format,
            order,
            includesHeader: includesHeader,
            uncountedBytes: uncountedBytes,
            maximumLength: maximumLength
        )
    }

    private init(
        checkedHeaderBytes headerBytes: Int,
        _ lengthBytes: Int,
        _ format: Format,
        _ order: Order = .big,
        includesHeader: Bool = false,
        uncountedBytes: Int = 0,
        maximumLength: Int? = nil
    ) {
        self.headerBytes = headerBytes
        self.lengthBytes = lengthBytes
        self.format = format
        self.order = order
        self.includesHeader = includesHeader
        self.uncountedBytes = uncountedBytes
        let longest =
            format.largestLength(in: lengthBytes) + (includesHeader ? 0 : headerBytes + lengthBytes) + uncountedBytes
        self.maximumLength = min(maximumLength ?? Self.defaultMaximum, longest)
    }

    /// Two bytes, big-endian, that count the body.
    public static let twoBytes = LengthPrefix(checkedHeaderBytes: 0, 2, .binary)
    /// Four decimal digits that count the body.
    public static let fourDigits = LengthPrefix(checkedHeaderBytes: 0, 4, .ascii)

    /// Where the body begins.
    var bodyOffset: Int { headerBytes + lengthBytes }

    /// Where a message begins in front of which the uncounted bytes stand.
    var messageOffset: Int { bodyOffset + uncountedBytes }
}

extension LengthPrefix.Format {
    /// The largest length that `bytes` bytes can tell.
    fileprivate func largestLength(in bytes: Int) -> Int {
        let base =
            switch self {
            case .binary: 256
            case .ascii: 10
            case .bcd: 100
            }
        return (0..<bytes).reduce(1) { power, _ in power * base } - 1
    }
}
