import SecureMux

extension ProbeRequest {
    /// The most registers that one request may write (Modbus Application Protocol Specification V1.1b3, section 6.12).
    static let maximumWriteCount = 123

    /// Reads `ADDRESS` or `ADDRESS:COUNT`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    init(reading table: Table, parsing text: String) throws(ConfigurationError) {
        do {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let start = try number(parts[0], 0...65_535, "an address")
            let count = parts.count == 1 ? 1 : try number(parts[1], 1...table.maximumCount, "a count of \(table.name)s")
            try checkEnd(start, count)
            self = .read(table, start..<start + count)
        } catch {
            throw ConfigurationError(
                "'\(text)' is not what to read: \(error). Write ADDRESS:COUNT, as in 40000:4, or ADDRESS alone"
            )
        }
    }

    /// Reads `ADDRESS=VALUE` or `ADDRESS=VALUE,VALUE,…`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    init(writing text: String) throws(ConfigurationError) {
        do {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw InvalidText("there is no '='") }
            let start = try number(parts[0], 0...65_535, "an address")
            var values: [UInt16] = []
            for value in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                values.append(UInt16(truncatingIfNeeded: try number(value, -32_768...65_535, "a value")))
            }
            guard values.count <= Self.maximumWriteCount else {
                throw InvalidText("\(values.count) values are more than the \(Self.maximumWriteCount) of one request")
            }
            try checkEnd(start, values.count)
            self = .write(values, at: start)
        } catch {
            throw ConfigurationError(
                "'\(text)' is not what to write: \(error). Write ADDRESS=VALUE or ADDRESS=VALUE,VALUE, as in 5=1,-2,0x00FF"
            )
        }
    }
}

private func number(_ text: Substring, _ range: ClosedRange<Int>, _ what: String) throws(InvalidText) -> Int {
    let isHex = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHex ? text.dropFirst(2) : text
    // A second sign, as in 0x-1, is no number to anyone.
    guard let value = Int(digits, radix: isHex ? 16 : 10), !isHex || value >= 0, !digits.hasPrefix("+") else {
        throw InvalidText("'\(text)' is not \(what)")
    }
    guard range.contains(value) else {
        throw InvalidText("\(text) is not \(what) from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
}

private func checkEnd(_ start: Int, _ count: Int) throws(InvalidText) {
    guard start + count <= 65_536 else { throw InvalidText("it goes beyond address 65535") }
}
