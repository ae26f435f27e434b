/// Durations as users write them: `5` (seconds), `0.5`, `500ms`, `1m30s`.
extension Duration {
    /// The longest that a user may ask for, far below where clocks overflow.
    static let longestInHours: Int64 = 1_000_000

    /// Reads a plain number of seconds, or numbers with units (h, m, s, ms, us, ns) such as `1m30s` or `1.5s`.
    ///
    /// Parts of a nanosecond are cut off.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    package init(parsing text: String) throws(ConfigurationError) {
        do {
            self = .nanoseconds(try wholeNanoseconds(parsing: text))
        } catch {
            throw ConfigurationError("'\(text)' is not a duration: \(error). Write 5, 0.5, 500ms, 5s, 1m or 1m30s")
        }
    }

    /// The duration in a form that ``init(parsing:)`` reads, such as "1.5s", "500ms" or "1m30s".
    package var shortText: String {
        let (seconds, attoseconds) = components
        let sign = seconds < 0 || attoseconds < 0 ? "-" : ""
        let whole = seconds.magnitude
        let nanoseconds = attoseconds.magnitude / 1_000_000_000
        guard whole >= 1 else {
            return switch nanoseconds {
            case 0: "0s"
            case ..<1_000: "\(sign)\(nanoseconds)ns"
            case ..<1_000_000: "\(sign)\(decimal(nanoseconds, per: 1_000))us"
            default: "\(sign)\(decimal(nanoseconds, per: 1_000_000))ms"
            }
        }
        let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60 * 1_000_000_000 + nanoseconds)
        return sign + (hours > 0 ? "\(hours)h" : "") + (minutes > 0 ? "\(minutes)m" : "")
            + (rest > 0 ? "\(decimal(rest, per: 1_000_000_000))s" : "")
    }

    /// The duration as a log says it, such as "1.23s", "12.3ms" or "1h2m3s": to three digits, from a minute on to seconds.
    ///
    /// For what was measured or drawn; what somebody set is said as it was set.
    package var readableText: String { readable.shortText }

    private var readable: Duration {
        let (seconds, attoseconds) = components
        guard seconds < 60 else {
            let isRoundedUp = attoseconds >= 500_000_000_000_000_000 && seconds < .max
            return .seconds(seconds + (isRoundedUp ? 1 : 0))
        }
        guard self > .zero else { return self }
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        var unit: Int64 = 1
        while nanoseconds / unit >= 1_000 { unit *= 10 }
        return .nanoseconds((nanoseconds + unit / 2) / unit * unit)
    }
}

private let unitsInNanoseconds: KeyValuePairs<String, Int64> = [
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "\u{B5}s": 1_000,  // the micro sign
    "\u{3BC}s": 1_000,  // the Greek letter mu
    "ns": 1,
]

private func wholeNanoseconds(parsing text: String) throws(InvalidText) -> Int64 {
    guard !text.isEmpty else { throw InvalidText("it is empty") }
    guard !text.hasPrefix("-") else { throw InvalidText("it is negative") }
    var rest = text[...]
    var sum: Int64 = 0
    while !rest.isEmpty {
        let number = rest.prefix { $0 == "." || $0.isASCII && $0.isNumber }
        let unit = rest.dropFirst(number.count).prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
        rest = rest.dropFirst(number.count + unit.count)
        let isPlain = number.count == text.count
        sum = try added(sum, try nanoseconds(number, try scale(of: isPlain ? "s" : unit, behind: number)))
    }
    return sum
}

private func scale(of unit: Substring, behind number: Substring) throws(InvalidText) -> Int64 {
    guard !number.isEmpty else { throw InvalidText("'\(unit)' has no number before it") }
    guard !unit.isEmpty else { throw InvalidText("'\(number)' has no unit behind it") }
    guard let scale = unitsInNanoseconds.first(where: { $0.key == unit })?.value else {
        throw InvalidText("'\(unit)' is not one of the units h, m, s, ms, us and ns")
    }
    return scale
}

private func nanoseconds(_ number: Substring, _ scale: Int64) throws(InvalidText) -> Int64 {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }) else {
        throw InvalidText("'\(number)' is not a number")
    }
    var whole: Int64 = 0
    if !parts[0].isEmpty {
        guard let value = Int64(parts[0]) else { throw tooLong }
        whole = value
    }
    let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
    guard !overflow else { throw tooLong }
    var fraction: Int64 = 0
    var digitScale = scale
    // No unit has more than 13 digits of nanoseconds; further digits count for nothing.
    for digit in (parts.count == 2 ? parts[1] : "").prefix(13) {
        fraction += Int64(digit.wholeNumberValue ?? 0) * digitScale / 10
        digitScale /= 10
    }
    return try added(product, fraction)
}

private func added(_ left: Int64, _ right: Int64) throws(InvalidText) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    guard !overflow, sum <= Duration.longestInHours * 3_600_000_000_000 else { throw tooLong }
    return sum
}

private var tooLong: InvalidText { InvalidText("it is longer than \(Duration.longestInHours)h") }

private func decimal(_ value: UInt64, per unit: UInt64) -> String {
    guard value % unit > 0 else { return String(value / unit) }
    var fraction = String(value % unit + unit).dropFirst()
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(value / unit).\(fraction)"
}
