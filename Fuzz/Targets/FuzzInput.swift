/// The bytes of an input, read from the front; behind the end stand zeros.
struct FuzzInput {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
    }

    var isEmpty: Bool { bytes.isEmpty }

    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

    /// 0 and more, less than `bound`, which is at most 256.
    mutating func below(_ bound: Int) -> Int { Int(byte()) % bound }

    /// One of them; none where there is none.
    mutating func pick<Elements: RandomAccessCollection>(_ elements: Elements) -> Elements.Element? {
        let chosen = byte()
        return elements.dropFirst(Int(chosen) % max(elements.count, 1)).first
    }

    /// Takes `count` bytes, or what is left.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }

    mutating func rest() -> [UInt8] { take(bytes.count) }
}
