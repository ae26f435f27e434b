/// What a probe prints of an answer.
struct ProbeReport: CustomStringConvertible {
    let unit: UInt8
    let answer: ProbeAnswer

    /// Runs of characters shorter than this are more likely numbers.
    private static let shortestText = 4

    var description: String {
        switch answer {
        case .registers(let values, let table, let addresses):
            ([title(table.name, addresses), "address  unsigned  signed     hex  ascii"]
                + zip(addresses, values).map(line) + texts(in: values)).joined(separator: "\n")
        case .bits(let values, let table, let addresses):
            ([title(table.name, addresses), "address  value"]
                + zip(addresses, values).map { "\(padded($0, 7))  \(padded($1 ? 1 : 0, 5))" }).joined(separator: "\n")
        case .written(let values, let address):
            "written: \(title("holding register", address..<address + values.count)) = "
                + values.map { "\($0)" }.joined(separator: ", ")
        }
    }

    private func title(_ name: String, _ addresses: Range<Int>) -> String {
        addresses.count == 1
            ? "unit \(unit), \(name) \(addresses.lowerBound)"
            : "unit \(unit), \(name)s \(addresses.lowerBound) to \(addresses.upperBound - 1)"
    }

    private func line(_ address: Int, _ value: UInt16) -> String {
        let hex = String(value, radix: 16, uppercase: true)
        let digits = String(repeating: "0", count: 4 - hex.count) + hex
        return
            "\(padded(address, 7))  \(padded(Int(value), 8))  \(padded(Int(Int16(bitPattern: value)), 6))  0x\(digits)  "
            + bytes(of: [value]).map { isPrintable($0) ? String(UnicodeScalar($0)) : "." }.joined()
    }

    /// The text that the registers hold, two characters each, where there is any.
    private func texts(in values: [UInt16]) -> [String] {
        let runs = bytes(of: values).split { !isPrintable($0) }.filter { $0.count >= Self.shortestText }
        guard !runs.isEmpty else { return [] }
        return ["text: " + runs.map { "\"\(String(decoding: $0, as: UTF8.self))\"" }.joined(separator: " ")]
    }

    private func bytes(of values: [UInt16]) -> [UInt8] {
        values.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    private func isPrintable(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte)
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
