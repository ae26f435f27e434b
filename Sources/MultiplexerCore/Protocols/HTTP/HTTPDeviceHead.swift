/// A device's head in the form that cannot be read in two ways, where its own is not.
///
/// Gadgets end lines with a line feed alone, leave NUL in values, and name a length as well as chunks. The standards say what
/// each of these means: a line feed ends a line (RFC 9112, section 2.2), a control character counts as a space (RFC 9110, section 5.5),
/// and chunks overrule a length (RFC 9112, section 6.3). White space at a line's end belongs to no value (RFC 9112, section 5),
/// but llhttp takes chunks with a tab after their name for something else.
package struct HTTPDeviceHead {
    /// The head: its lines end with CR LF and no white space, and it has no control characters, and not both length and chunks.
    package private(set) var bytes: [UInt8] = []
    /// Whether there were both Content-Length and Transfer-Encoding: the device may not know itself where its message ends.
    package let isLengthOverruled: Bool

    /// Mends a head that ``HTTPHeadScanner`` has let pass; nil where there is nothing to mend.
    package init?(mending head: Span<UInt8>) {
        var lines: [Range<Int>] = []
        var start = 0
        var isSound = true
        for index in head.indices {
            if head[index] == .lineFeed {
                var end = index
                if end > start, head[end - 1] == .carriageReturn { end -= 1 } else { isSound = false }
                while end > start, head[end - 1].isBlank { (end, isSound) = (end - 1, false) }
                lines.append(start..<end)
                start = index + 1
            } else if head[index].isControl, head[index] != .carriageReturn {
                isSound = false
            }
        }
        isLengthOverruled =
            lines.contains { head.hasField(Self.coding, at: $0) }
            && lines.contains { head.hasField(Self.length, at: $0) }
        guard !isSound || isLengthOverruled else { return nil }
        bytes.reserveCapacity(head.count + lines.count)
        for line in lines where !isLengthOverruled || !head.hasField(Self.length, at: line) {
            for index in line { bytes.append(head[index].isControl ? .space : head[index]) }
            bytes += [.carriageReturn, .lineFeed]
        }
    }

    private static let coding = Array("transfer-encoding:".utf8)
    private static let length = Array("content-length:".utf8)
}

extension Span<UInt8> {
    /// Whether a line begins with this, which has no capital letters.
    fileprivate func hasField(_ start: [UInt8], at line: Range<Int>) -> Bool {
        line.count >= start.count && start.indices.allSatisfy { self[line.lowerBound + $0].lowercased == start[$0] }
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20

    /// Whether no field's value may have this byte.
    var isControl: Bool { self < .space && self != .tab || self == 0x7F }

    /// Whether this is white space, or counts as such.
    fileprivate var isBlank: Bool { self == .space || self == .tab || isControl }

    fileprivate var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
}
