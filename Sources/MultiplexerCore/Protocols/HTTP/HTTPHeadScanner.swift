/// Finds the end of a message's head, byte by byte, and refuses any byte that the grammar does not allow there.
///
/// RFC 9112, sections 2 to 5, without what it lets a lenient recipient overlook: bare CR or LF, line folding, white space
/// around a field's name. What a head means is not looked at; llhttp parses it afterwards, so that two parsers must agree.
///
/// A device may end lines with a line feed alone and have control characters in values, which ``HTTPDeviceHead`` mends.
package struct HTTPHeadScanner: Sendable {
    private let direction: Direction
    private let limits: HTTPLimits
    private let isFirst: Bool
    private var position = Position.beginning
    /// Bytes seen so far.
    private var scanned = 0
    /// Bytes of the part of the start line that is being read.
    private var length = 0
    private var fields = 0
    private var hasBlankLine = false
    private var version: (major: UInt8, minor: UInt8) = (0, 0)

    private enum Position {
        case beginning, blankLineEnd
        case method, target, version, status, reason
        case lineBeginning, name, value, lineEnd, headEnd
    }

    /// A scanner for one head that travels in this direction, the connection's first one or another.
    package init(_ direction: Direction, limits: HTTPLimits = HTTPLimits(), isFirst: Bool = true) {
        self.direction = direction
        self.limits = limits
        self.isFirst = isFirst
        if direction == .response { position = .version }
    }

    /// Whether no byte has come yet, or nothing but the empty line that may stand in front of a request.
    package var isAtBeginning: Bool { if case .beginning = position { true } else { scanned == 0 } }

    /// Goes on after the bytes that were seen before.
    ///
    /// - Parameter bytes: The stream from the head's first byte on.
    /// - Returns: The head's length, with an empty line in front of it; nil when its end is not there yet.
    /// - Throws: ``HTTPViolation`` at the first byte that cannot stand where it stands.
    package mutating func scan(_ bytes: Span<UInt8>) throws(HTTPViolation) -> Int? {
        while scanned < bytes.count {
            guard scanned < limits.head else {
                throw HTTPViolation(431, "a head longer than \(limits.head) bytes")
            }
            let byte = bytes[scanned]
            scanned += 1
            if try scan(byte) { return scanned }
        }
        return nil
    }

    /// Scans one byte.
    ///
    /// - Returns: Whether it is the head's last.
    private mutating func scan(_ byte: UInt8) throws(HTTPViolation) -> Bool {
        switch position {
        case .beginning: try begin(byte)
        case .blankLineEnd: try expectLineFeed(byte, then: .beginning)
        case .method: try scanMethod(byte)
        case .target: try scanTarget(byte)
        case .version: try scanVersion(byte)
        case .status: try scanStatus(byte)
        case .reason, .value: try scanText(byte)
        case .name: try scanName(byte)
        case .lineEnd: try expectLineFeed(byte, then: .lineBeginning)
        case .lineBeginning where byte == .lineFeed && isLenient: return true
        case .lineBeginning: try beginLine(byte)
        case .headEnd:
            try expectLineFeed(byte, then: .headEnd)
            return true
        }
        return false
    }

    /// Nobody but us reads a device's head, so that nobody can read it in another way.
    private var isLenient: Bool { direction == .response }

    private mutating func enter(_ next: Position) {
        position = next
        length = 0
    }

    private mutating func expectLineFeed(_ byte: UInt8, then next: Position) throws(HTTPViolation) {
        guard byte == .lineFeed else { throw HTTPViolation("a carriage return without a line feed") }
        enter(next)
    }
}

// MARK: - The start line

extension HTTPHeadScanner {
    private mutating func begin(_ byte: UInt8) throws(HTTPViolation) {
        switch byte {
        case .carriageReturn where !hasBlankLine:
            // Some clients end a body with an empty line too many.
            hasBlankLine = true
            position = .blankLineEnd
        case 0x16 where isFirst:
            throw .tls
        default:
            enter(.method)
            try scanMethod(byte)
        }
    }

    private mutating func scanMethod(_ byte: UInt8) throws(HTTPViolation) {
        if byte == .space, length > 0 { return enter(.target) }
        guard byte.isTokenByte else { throw HTTPViolation("a request line that does not begin with a method") }
        length += 1
        guard length <= Self.longestMethod else { throw HTTPViolation(501, "a method that no server knows") }
    }

    private static let longestMethod = 32

    private mutating func scanTarget(_ byte: UInt8) throws(HTTPViolation) {
        switch byte {
        case .space where length > 0:
            enter(.version)
        case .carriageReturn where length > 0:
            throw HTTPViolation("a request line without a version of HTTP")
        case 0x21...0x7E:
            length += 1
            guard length <= limits.target else {
                throw HTTPViolation(414, "a target longer than \(limits.target) bytes")
            }
        default:
            throw HTTPViolation("a target with a byte that must be percent-encoded, or none at all")
        }
    }

    private mutating func scanVersion(_ byte: UInt8) throws(HTTPViolation) {
        if direction == .response, length == 0, byte == 0x15 || byte == 0x16 { throw .tls }
        switch (length, byte) {
        case (0...4, _) where byte == Self.name[length]: break
        case (6, 0x2E): break
        case (5, 0x30...0x39): version.major = byte - 0x30
        case (7, 0x30...0x39): version.minor = byte - 0x30
        case (8, direction == .request ? .carriageReturn : .space):
            guard version.major == 1, version.minor <= 1 else {
                throw HTTPViolation(505, "HTTP/\(version.major).\(version.minor), not HTTP/1.1 or HTTP/1.0")
            }
            return enter(direction == .request ? .lineEnd : .status)
        default:
            throw HTTPViolation(
                direction == .request
                    ? "a request line that does not end with HTTP/1.1" : "something other than HTTP/1.1"
            )
        }
        length += 1
    }

    private static let name: [UInt8] = Array("HTTP/".utf8)

    private mutating func scanStatus(_ byte: UInt8) throws(HTTPViolation) {
        switch (length, byte) {
        case (0, 0x31...0x39), (1...2, 0x30...0x39): length += 1
        case (3, .space): enter(.reason)
        case (3, .carriageReturn): enter(.lineEnd)
        case (3, .lineFeed) where isLenient: enter(.lineBeginning)
        default: throw HTTPViolation("a status that is not a number of three digits")
        }
    }
}

// MARK: - Fields

extension HTTPHeadScanner {
    private mutating func beginLine(_ byte: UInt8) throws(HTTPViolation) {
        switch byte {
        case .carriageReturn:
            position = .headEnd
        case .space, .tab:
            throw HTTPViolation("a header line that begins with white space")
        default:
            fields += 1
            guard fields <= limits.fields else {
                throw HTTPViolation(431, "more than \(limits.fields) header fields")
            }
            enter(.name)
            try scanName(byte)
        }
    }

    private mutating func scanName(_ byte: UInt8) throws(HTTPViolation) {
        if byte.isTokenByte {
            length += 1
            return
        }
        switch byte {
        case 0x3A where length > 0: enter(.value)
        case 0x3A: throw HTTPViolation("a header field without a name")
        case .space, .tab: throw HTTPViolation("a header field with white space in front of its colon")
        case .carriageReturn, .lineFeed: throw HTTPViolation("a header line without a colon")
        default: throw HTTPViolation("a header field whose name has a byte that names cannot have")
        }
    }

    /// A field's value or a reason phrase; bytes beyond ASCII mean nothing to HTTP and pass.
    private mutating func scanText(_ byte: UInt8) throws(HTTPViolation) {
        switch byte {
        case .carriageReturn: enter(.lineEnd)
        case .lineFeed where isLenient: enter(.lineBeginning)
        case .lineFeed: throw HTTPViolation("a line feed without a carriage return")
        case _ where byte.isControl && !isLenient: throw HTTPViolation("a control character in a header line")
        default: break
        }
    }
}

extension UInt8 {
    /// Whether a method, or the name of a field, may have this byte (RFC 9110, section 5.6.2).
    package var isTokenByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        // ! # $ % & ' * + - . ^ _ ` | ~
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
