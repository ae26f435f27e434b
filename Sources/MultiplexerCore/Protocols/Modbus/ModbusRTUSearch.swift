/// Looks for the response to a request on a serial line: among noise, frames of others and damage.
///
/// ```
///  0       …4
/// +-------+------+----------+---------------+-----------+
/// | noise | unit | function | data          | CRC       |    the answer where all three fit, whatever its length
/// +-------+------+----------+---------------+-----------+
/// ```
///
/// A frame is looked for in a few positions only, and never inside one that may have begun before it: what registers hold can
/// look like a frame, checksum included.
struct ModbusRTUSearch {
    private let sought: SoughtResponse

    /// This many bytes of noise may stand before a frame, in addition to what came before the request was sent.
    private static let noiseBytes = 4
    /// The units that answer on a serial line (MODBUS over Serial Line V1.02, section 2.2): a line at rest looks like others.
    private static let respondingUnits: ClosedRange<UInt8> = 1...247

    /// The search for this response.
    init(_ sought: SoughtResponse) {
        self.sought = sought
    }

    /// Tells what `bytes` begin with.
    func find(in bytes: Span<UInt8>) -> ResponseFinding {
        var hasBegun = (own: false, foreign: false)
        var damage: (end: Int, cause: ResponseDamage.Cause?) = (0, nil)
        for offset in 0..<max(0, min(positions, bytes.count - 1)) {
            let rest = bytes.extracting(offset...)
            let isOwn = sought.mayBegin(with: rest.extracting(..<2))
            switch frame(in: rest, isOwn: isOwn) {
            case .right(let length):
                // What a damaged answer holds is its content.
                guard offset + length > damage.end else { continue }
                guard sought.isSilent || !(hasBegun.own || hasBegun.foreign) else { return .open(silenceTells: true) }
                guard isOwn else { return .noise(offset + length) }
                return offset == 0 ? .frame(length) : .noise(offset)
            case .wrong(let length) where isOwn:
                damage.end = max(damage.end, offset + length)
                guard damage.cause == nil, sought.isAwaited, offset >= sought.earlyBytes else { continue }
                damage.cause = cause(of: rest, length)
            case .unfinished where isOwn && damage.cause == nil: return .open(silenceTells: false)
            case .unfinished: isOwn ? (hasBegun.own = true) : (hasBegun.foreign = true)
            case .wrong, .none: break
            }
        }
        guard sought.isSilent else { return .open(silenceTells: true) }
        if let cause = damage.cause { return .damage(cause) }
        // As few as this may stand before the answer, or be its first byte.
        return sought.isAwaited && bytes.count <= positions ? .open(silenceTells: false) : .noise(bytes.count)
    }

    private var positions: Int { sought.earlyBytes + Self.noiseBytes + 1 }

    /// What may stand at one place.
    private enum Candidate {
        /// A whole frame with the right checksum.
        case right(Int)
        /// As long as its function says, but with another checksum.
        case wrong(Int)
        /// The beginning of a frame.
        case unfinished
        /// Neither.
        case none
    }

    /// Judges what stands where `bytes` begin, of which there are 2 or more.
    private func frame(in bytes: Span<UInt8>, isOwn: Bool) -> Candidate {
        guard isOwn || (Self.respondingUnits.contains(bytes[0]) && bytes[1] & ~ModbusMessageRules.exceptionBit != 0)
        else {
            return .none
        }
        switch ModbusExtent(ofResponse: bytes, requested: isOwn ? sought.request?.responseLength : nil) {
        case nil:
            return .unfinished
        case .bytes(let content):
            let length = content + ModbusCRC.length
            guard length <= ModbusRTUFraming.lengths.upperBound else { return .none }
            guard length <= bytes.count else { return .unfinished }
            return ModbusCRC.isRight(in: bytes.extracting(..<length)) ? .right(length) : .wrong(length)
        case .unknown:
            guard bytes.count >= ModbusRTUFraming.lengths.lowerBound else { return .unfinished }
            guard bytes.count <= ModbusRTUFraming.lengths.upperBound else { return .none }
            return ModbusCRC.isRight(in: bytes) ? .right(bytes.count) : .unfinished
        }
    }

    /// What is wrong with an answer of this length that has another checksum; nil where it may be another's.
    private func cause(of bytes: Span<UInt8>, _ length: Int) -> ResponseDamage.Cause? {
        let (found, expected) = ModbusCRC.foundAndExpected(in: bytes.extracting(..<length))
        if found.low == expected.high, found.high == expected.low { return .reversedChecksum }
        if hasWideByteCount(bytes) { return .wideByteCount }
        let isException = bytes[1] & ModbusMessageRules.exceptionBit != 0
        guard !isException, let asked = sought.request?.responseLength else { return .checksum }
        return length == asked + ModbusCRC.length ? .checksum : nil
    }

    /// Whether it is a frame with a right checksum if the byte count takes two bytes.
    private func hasWideByteCount(_ bytes: Span<UInt8>) -> Bool {
        guard ModbusExtent.countsBytes(bytes[1]), bytes.count >= 4 else { return false }
        let length = 4 + bytes.word(at: 2) + ModbusCRC.length
        return length <= bytes.count && ModbusCRC.isRight(in: bytes.extracting(..<length))
    }
}
