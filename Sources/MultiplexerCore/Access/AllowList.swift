/// Which addresses clients may come from.
public struct AllowList: Hashable, Sendable {
    /// The blocks that are allowed; none means that every address is.
    public let blocks: [CIDRBlock]
    /// The blocks of which no address is allowed, whatever `blocks` says.
    public let denied: [CIDRBlock]

    /// A list of these blocks, without those of `denied`.
    public init(_ blocks: [CIDRBlock] = [], denied: [CIDRBlock] = []) {
        self.blocks = blocks
        self.denied = denied
    }

    /// Whether any address of a family is allowed that is not denied, since nothing or a whole family was listed.
    public var allowsEveryone: Bool { blocks.isEmpty || blocks.contains(where: \.isWholeFamily) }

    /// Whether a client at this address may connect.
    package func allows(_ address: IPAddress) -> Bool {
        guard !denied.contains(where: { $0.contains(address) }) else { return false }
        return blocks.isEmpty || blocks.contains { $0.contains(address) }
    }
}

/// A block of addresses that share their first bits (RFC 4632, section 3.1; RFC 4291, section 2.3).
public struct CIDRBlock: Hashable, Sendable {
    private let address: IPAddress
    /// How many of the 128 bits are shared.
    private let prefixLength: Int

    /// The block of an address and the length of its prefix, or nil when the length is out of range or bits after the
    /// prefix are set.
    ///
    /// - Parameters:
    ///   - address: Any address of the block whose bits after the prefix are 0.
    ///   - prefixLength: 0 to 32 for an IPv4 address, 0 to 128 for an IPv6 one; nil for this one address.
    package init?(_ address: IPAddress, prefixLength: Int? = nil) {
        let bits = address.isIPv4 ? 32 : 128
        let length = prefixLength ?? bits
        guard (0...bits).contains(length) else { return nil }
        self.address = address
        self.prefixLength = length + 128 - bits
        guard address.low & ~masks.low == 0, address.high & ~masks.high == 0 else { return nil }
    }

    /// Whether the address is in the block.
    ///
    /// IPv4-mapped IPv6 addresses are in IPv4 blocks, and in no IPv6 block.
    package func contains(_ other: IPAddress) -> Bool {
        let masks = masks
        return address.isIPv4 == other.isIPv4
            && address.high == other.high & masks.high && address.low == other.low & masks.low
    }

    /// Whether the block holds all IPv4 or all IPv6 addresses.
    var isWholeFamily: Bool { prefixLength == (address.isIPv4 ? 96 : 0) }

    private var masks: (high: UInt64, low: UInt64) {
        func mask(_ length: Int) -> UInt64 { length <= 0 ? 0 : ~0 << UInt64(max(64 - length, 0)) }
        return (mask(prefixLength), mask(prefixLength - 64))
    }
}
