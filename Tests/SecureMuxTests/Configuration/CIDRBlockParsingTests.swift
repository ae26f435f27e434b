import MultiplexerCore
import Testing

@testable import SecureMux

@Suite struct CIDRBlockParsingTests {
    @Test(arguments: [
        ("192.168.1.0/24", "192.168.1.255", "192.168.2.0"),
        ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
        ("192.168.1.7/32", "192.168.1.7", "192.168.1.6"),
        ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
        ("fd00::/8", "fdff::1", "fe00::1"),
        ("::1", "::1", "::2"),
        ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
        ("::/0", "2001:db8::1", "192.0.2.1"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.8"),
    ])
    func `a block is read and holds what it says`(text: String, inside: String, outside: String) throws {
        let block = try CIDRBlock(parsing: text)
        #expect(try block.contains(#require(IPAddress(parsing: inside))))
        #expect(try !block.contains(#require(IPAddress(parsing: outside))))
    }

    private static let examples = "write 192.168.1.0/24, fd00::/8 or 192.168.1.7"
    private static let mapped = "it is IPv4 written as IPv6; write the IPv4 form, as in 192.168.1.0/24"

    @Test(arguments: [
        ("", "'' is no IP address; \(examples)"),
        ("/24", "'' is no IP address; \(examples)"),
        ("inverter.lan", "'inverter.lan' is no IP address; \(examples)"),
        ("192.168.1", "'192.168.1' is no IP address; \(examples)"),
        ("192.168.1.256/32", "'192.168.1.256' is no IP address; \(examples)"),
        ("192.168.1.0 /24", "'192.168.1.0 ' is no IP address; \(examples)"),
        ("[::1]", "'[::1]' is no IP address; \(examples)"),
        ("::1%lo", "'::1%lo' is no IP address; \(examples)"),
        ("192.168.1.0/", "the prefix length must be 0 to 32, it is ''"),
        ("192.168.1.0/33", "the prefix length must be 0 to 32, it is '33'"),
        ("192.168.1.0/-1", "the prefix length must be 0 to 32, it is '-1'"),
        ("192.168.1.0/+8", "the prefix length must be 0 to 32, it is '+8'"),
        ("192.168.1.0/２４", "the prefix length must be 0 to 32, it is '２４'"),
        ("192.168.1.0/24/24", "the prefix length must be 0 to 32, it is '24/24'"),
        ("192.168.1.0/255.255.255.0", "the prefix length must be 0 to 32, it is '255.255.255.0'"),
        ("fd00::/129", "the prefix length must be 0 to 128, it is '129'"),
        ("fd00::/99999999999999999999", "the prefix length must be 0 to 128, it is '99999999999999999999'"),
        (
            "192.168.1.7/24",
            "bits behind the first 24 are set; write 192.168.1.7 alone for this one address, or clear them"
        ),
        ("fd00::1/64", "bits behind the first 64 are set; write fd00::1 alone for this one address, or clear them"),
        ("::ffff:0:0/96", mapped), ("::ffff:192.168.1.0/120", mapped), ("::ffff:192.168.1.0/24", mapped),
    ])
    func `what is no block is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try CIDRBlock(parsing: text) }
        #expect(error?.description == "'\(text)' is not an address block: \(reason)")
    }
}
