/// Where a device is reached: a name or an IP address, and a port.
public struct DeviceAddress: Hashable, Sendable {
    /// A name or an IP address; an IPv6 address has no brackets here and may name its zone (`fe80::1%eth0`).
    public let host: String
    /// The TCP port, 1 to 65535.
    public let port: Int

    /// The address with this host and port.
    ///
    /// - Throws: ``ConfigurationError`` that says why no device can be there.
    public init(host: String, port: Int) throws(ConfigurationError) {
        try self.init(parsing: HostAndPort(host: host, port: port).description)
    }

    /// The address with this host and port, which were checked or come from the system.
    package init(checked host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads an address such as `inverter.lan:502`, `192.0.2.1:502` or `[fe80::1%eth0]:502`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        do {
            let parts = try HostAndPort(parsing: text, ports: 1...65_535)
            guard parts.host != "", parts.host != "*" else { throw InvalidText("it names no host") }
            self.init(checked: parts.host, port: parts.port)
        } catch {
            throw ConfigurationError(
                "'\(text)' is not the address of a device: \(error). "
                    + "Write host:port, as in inverter.lan:502, 192.0.2.1:502 or [fe80::1%eth0]:502"
            )
        }
    }
}

extension DeviceAddress: CustomStringConvertible {
    /// The address in a form that ``init(parsing:)`` reads, such as "inverter.lan:502" or "[::1]:502".
    public var description: String {
        HostAndPort(host: host, port: port).description
    }
}
