import Testing

@testable import SecureMux

@Suite struct ListenAddressTests {
    @Test(arguments: ["8000", ":8000", "*:8000"])
    func `a port alone listens on all interfaces`(text: String) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address == ListenAddress(checked: nil, port: 8000))
        #expect(address.description == "*:8000")
        #expect(!address.isLoopback)
    }

    @Test(arguments: [
        ("host:8000", "host", 8000), ("localhost:1", "localhost", 1), ("1.2.3.4:65535", "1.2.3.4", 65_535),
        ("[::1]:8000", "::1", 8000), ("[::]:0", "::", 0), ("[fe80::1%eth0]:502", "fe80::1%eth0", 502),
        ("my-host_1.lan:80", "my-host_1.lan", 80),
    ])
    func `a host and a port are read and printed back`(text: String, host: String, port: Int) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address == ListenAddress(checked: host, port: port))
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("host", "it names no port"),
        ("host:", "it names no port"),
        ("[::1]", "it names no port"),
        (":", "it names no port"),
        ("::1:8000", "an IPv6 address has to stand in brackets"),
        ("[::1:8000", "the bracket is not closed"),
        ("[::1]8000", "a colon and the port have to follow the bracket"),
        ("[localhost]:80", "brackets are for IPv6 addresses"),
        ("[12345::]:80", "'12345::' is not an IPv6 address"),
        ("[fe80::1%]:80", "'fe80::1%' is not an IPv6 address"),
        ("1.2.3.400:80", "'1.2.3.400' is not an IPv4 address"),
        ("my host:80", "'my host' is neither a host name nor an IP address"),
        ("http://host:80", "only a host and a port are allowed, neither scheme nor path"),
        ("65536", "port 65536 is not between 0 and 65535"),
        ("host:99999999999999999999", "port 99999999999999999999 is not between 0 and 65535"),
        ("host:-1", "'-1' is not a port number"),
        ("host:http", "'http' is not a port number"),
        ("host:８０", "'８０' is not a port number"),
        (" 8000", "it names no port"),
    ])
    func `what is no address is refused with the reason and what would be right`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try ListenAddress(parsing: text) }
        #expect(
            error?.description
                == "'\(text)' is not an address to listen on: \(reason). "
                + "Write 8000, :8000, host:8000, 192.0.2.1:8000 or [::1]:8000"
        )
    }

    @Test(arguments: [
        ("502", "127.0.0.1:502", true), ("502", "localhost:502", true), ("0.0.0.0:502", "127.0.0.2:502", true),
        ("[::]:502", "[::1]:502", true), ("10.0.0.1:502", "10.0.0.1:502", true), ("inverter:502", "inverter:502", true),
        ("127.0.0.1:502", "localhost:502", true), ("localhost:502", "[::1]:502", true),
        ("502", "127.0.0.1:503", false), ("502", "10.0.0.1:502", false), ("127.0.0.1:502", "127.0.0.2:502", false),
        ("10.0.0.1:502", "127.0.0.1:502", false), ("0", "127.0.0.1:502", false),
    ])
    func `a device that would be reached here is known`(text: String, device: String, isReached: Bool) throws {
        let address = try ListenAddress(parsing: text)
        #expect(try address.isReached(by: DeviceAddress(parsing: device)) == isReached)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("0:0:0:0:0:0:0:1", true), ("::ffff:127.0.0.1", true),
        ("localhost", true), ("LocalHost", true), ("a.localhost", true),
        ("0.0.0.0", false), ("::", false), ("192.0.2.1", false), ("::ffff:192.0.2.1", false), ("fe80::1", false),
        ("127.example", false), ("host", false),
    ])
    func `loopback is told from addresses that others reach`(host: String, isLoopback: Bool) {
        #expect(ListenAddress(checked: host, port: 1).isLoopback == isLoopback)
    }
}
