import Testing

@testable import SecureMux

@Suite struct DeviceAddressTests {
    @Test(arguments: [
        ("inverter.lan:502", "inverter.lan", 502), ("192.0.2.1:1", "192.0.2.1", 1), ("[::1]:65535", "::1", 65_535),
        ("[fe80::1%eth0]:502", "fe80::1%eth0", 502),
    ])
    func `host and port are read and printed back`(text: String, host: String, port: Int) throws {
        let address = try DeviceAddress(parsing: text)
        #expect(address == DeviceAddress(checked: host, port: port))
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("inverter.lan", "it names no port"),
        ("502", "it names no port"),
        (":502", "it names no host"),
        ("*:502", "it names no host"),
        ("::1:502", "an IPv6 address has to stand in brackets"),
        ("inverter.lan:0", "port 0 is not between 1 and 65535"),
        ("tcp://inverter.lan:502", "only a host and a port are allowed, neither scheme nor path"),
    ])
    func `what is no address is refused with the reason and an example`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try DeviceAddress(parsing: text) }
        #expect(
            error?.description
                == "'\(text)' is not the address of a device: \(reason). "
                + "Write host:port, as in inverter.lan:502, 192.0.2.1:502 or [fe80::1%eth0]:502"
        )
    }
}
