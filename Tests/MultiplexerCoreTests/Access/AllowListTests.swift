import MultiplexerCore
import Testing

@Suite struct AllowListTests {
    @Test(arguments: [
        // IPv4, the edges of a block included.
        ("192.168.4.0/22", "192.168.4.0", true), ("192.168.4.0/22", "192.168.7.255", true),
        ("192.168.4.0/22", "192.168.3.255", false), ("192.168.4.0/22", "192.168.8.0", false),
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("128.0.0.0/1", "255.255.255.255", true), ("128.0.0.0/1", "127.255.255.255", false),
        // Mapped addresses are in IPv4 blocks.
        ("192.168.4.0/22", "::ffff:192.168.5.6", true), ("192.168.4.0/22", "::ffff:192.168.8.6", false),
        ("::ffff:192.168.4.0/22", "192.168.5.6", true),
        // Everything of IPv4.
        ("0.0.0.0/0", "0.0.0.0", true), ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "::ffff:1.2.3.4", true), ("0.0.0.0/0", "::1", false), ("0.0.0.0/0", "2001:db8::1", false),
        // Single addresses.
        ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/32", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.0", false), ("::1", "::1", true), ("::1", "::2", false),
        ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::1/128", "2001:db8::", false),
        // IPv6, the edges of a block included, on both sides of the middle.
        ("2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true), ("2001:db8::/32", "2001:db9::", false),
        ("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true), ("2001:db8::/64", "2001:db8:0:1::", false),
        ("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", true), ("2001:db8::/65", "2001:db8::8000:0:0:0", false),
        ("2001:db8::/63", "2001:db8:0:1::", true), ("2001:db8::/63", "2001:db8:0:2::", false),
        ("::/0", "2001:db8::1", true), ("::/0", "::1", true),
        // A list of IPv6 addresses lets no IPv4 address in, in whichever form.
        ("::/0", "192.0.2.1", false), ("::/0", "::ffff:192.0.2.1", false), ("::/64", "127.0.0.1", false),
        ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false),
    ])
    func `an address is in a block exactly if it shares its prefix`(
        _ text: String,
        _ client: String,
        _ isInside: Bool
    ) throws {
        let block = try #require(try block(text))
        #expect(try block.contains(address(client)) == isInside)
        #expect(try AllowList([block]).allows(address(client)) == isInside)
    }

    @Test(arguments: [
        "192.168.4.1/22", "192.0.2.1/0", "192.0.2.1/31", "2001:db8::1/64", "2001:db8::1/127", "2001:db8:0:1::/63",
        "::1/0",
    ])
    func `host bits behind the prefix are refused`(_ text: String) throws {
        #expect(try block(text) == nil)
    }

    @Test(arguments: ["192.0.2.0/33", "192.0.2.0/-1", "::/129", "::/-1"])
    func `a prefix longer than the address is refused`(_ text: String) throws {
        #expect(try block(text) == nil)
    }

    @Test func `an empty list allows everyone`() throws {
        let list = AllowList()
        #expect(list.allowsEveryone)
        #expect(try list.allows(address("192.0.2.1")))
        #expect(try list.allows(address("2001:db8::1")))
    }

    @Test func `a list allows what any of its blocks contains`() throws {
        let blocks = try ["192.168.0.0/16", "2001:db8::/32", "203.0.113.7"].map { try #require(try block($0)) }
        let list = AllowList(blocks)
        #expect(!list.allowsEveryone)
        for allowed in ["192.168.1.1", "2001:db8::5", "203.0.113.7"] { #expect(try list.allows(address(allowed))) }
        for refused in ["192.169.1.1", "2001:db9::5", "203.0.113.8"] { #expect(try !list.allows(address(refused))) }
    }
}
