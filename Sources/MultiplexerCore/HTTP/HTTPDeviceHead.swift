/// A device's head in the form that cannot be read in two ways, where its own is not.
///
/// Gadgets end lines with a line feed alone, leave NUL in values, and name a length beside chunks. What each of these means is
/// laid down: a line feed ends a line (RFC 9112, section 2.2), a control character counts as a space (RFC 9110, section 5.5),
/// and chunks overrule a length (RFC 9112, section 6.3).
package struct HTTPDeviceHead {
    /// The head: its lines end with CR LF, and it has no control characters and no length beside chunks.
    package private(set) var bytes: [UInt8] = []
    /// Whether a Content-Length stood beside Transfer-Encoding: the device may not know itself where its message ends.
    package let isLengthOverruled: Bool

    /// Mends a head that ``HTTPHeadScanner`` has let pass; nil where there is nothing to mend.
    package init?(mending head: Span<UInt8>) {
        var lines: [Range<Int>] = []
        var start = 0
        var isSound = true
        for index in head.indices {
            if head[index] == .lineFeed {
                let hasReturn = index > start && head[index - 1] == .carriageReturn
                lines.append(start..<(hasReturn ? index - 1 : index))
                start = index + 1
                isSound = isSound && hasReturn
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

    fileprivate var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self + 0x20 : self }
}
