import MultiplexerCore
import Testing

@Suite struct IPAddressTests {
    @Test func `a mapped address is the IPv4 address that it stands for`() throws {
        let plain = try #require(IPAddress(bytes: [192, 0, 2, 1]))
        let mapped = try #require(IPAddress(bytes: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 192, 0, 2, 1]))
        #expect(plain == mapped)
        #expect(plain.isIPv4)
        #expect(mapped.isIPv4)
    }

    @Test func `an IPv6 address that merely ends like one is none`() throws {
        let compatible = try #require(IPAddress(bytes: [UInt8](repeating: 0, count: 12) + [192, 0, 2, 1]))
        #expect(!compatible.isIPv4)
        let elsewhere = try #require(
            IPAddress(bytes: [1] + [UInt8](repeating: 0, count: 9) + [0xFF, 0xFF, 192, 0, 2, 1])
        )
        #expect(!elsewhere.isIPv4)
    }

    @Test(arguments: [0, 1, 3, 5, 15, 17])
    func `other lengths are no address`(_ count: Int) {
        #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.255.255.254", true), ("::ffff:127.0.0.1", true), ("::1", true),
        ("126.255.255.255", false), ("128.0.0.0", false), ("0.0.0.0", false), ("::", false), ("::2", false),
        ("1::1", false), ("fe80::1", false), ("::127.0.0.1", false),
    ])
    func `loopback is 127/8 and one IPv6 address`(_ text: String, _ isLoopback: Bool) throws {
        #expect(try address(text).isLoopback == isLoopback)
    }
}
