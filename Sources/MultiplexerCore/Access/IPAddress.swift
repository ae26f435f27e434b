/// An IPv4 or IPv6 address, as 128 bits.
///
/// An IPv4 address is held as its IPv4-mapped IPv6 form (RFC 4291, section 2.5.5.2), so that a client is the same whether
/// it came through an IPv4 or a dual-stack socket.
package struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    private static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An address of its bytes in network order: 4 or 16 of them, or nil.
    package init?(bytes: some Collection<UInt8>) {
        func word(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4:
            high = 0
            low = Self.mappedPrefix | word(bytes)
        case 16:
            high = word(bytes.prefix(8))
            low = word(bytes.dropFirst(8))
        default:
            return nil
        }
    }

    /// Whether this is an IPv4 address, plain or IPv4-mapped.
    package var isIPv4: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }

    /// What counts as one address where clients are counted: an IPv4 address, or the /64 of an IPv6 one.
    ///
    /// Any one host has all of such a network at its command (RFC 6177, section 2; RFC 8981 has it change addresses daily).
    package var network: IPAddress { isIPv4 ? self : IPAddress(high: high, low: 0) }

    /// Whether this is an address of the loopback: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        isIPv4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1
    }
}
