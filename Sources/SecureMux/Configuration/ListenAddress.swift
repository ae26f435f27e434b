import MultiplexerCore

/// Where a listener waits for clients: one address of this machine, or all of them, and a port.
public struct ListenAddress: Hashable, Sendable {
    /// A name or an IP address of this machine; nil means all its interfaces.
    public let host: String?
    /// The TCP port; 0 lets the system choose a free one.
    public let port: Int

    /// The address with this host, nil for all interfaces, and port.
    ///
    /// - Throws: ``ConfigurationError`` that says why nobody can listen there.
    public init(host: String?, port: Int) throws(ConfigurationError) {
        try self.init(parsing: HostAndPort(host: host ?? "*", port: port).description)
    }

    /// The address with this host and port, which were checked or come from the system.
    package init(checked host: String?, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads an address such as `8000`, `:8000`, `*:8000`, `host:8000`, `1.2.3.4:8000` or `[::1]:8000`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        do {
            if !text.isEmpty, text.utf8.allSatisfy(\.isDecimalDigit) {
                self.init(checked: nil, port: try HostAndPort.port(text, in: 0...65_535))
            } else {
                let parts = try HostAndPort(parsing: text, ports: 0...65_535)
                self.init(checked: parts.host == "" || parts.host == "*" ? nil : parts.host, port: parts.port)
            }
        } catch {
            throw ConfigurationError(
                "'\(text)' is not an address to listen on: \(error). "
                    + "Write 8000, :8000, host:8000, 192.0.2.1:8000 or [::1]:8000"
            )
        }
    }

    /// Whether a connection to a device would end here, as far as its name tells: on this port of this host, or, where this is
    /// all interfaces, of this machine's loopback.
    public func isReached(by device: DeviceAddress) -> Bool {
        // Port 0 is another one each time.
        guard port != 0, port == device.port else { return false }
        guard let host, host != "0.0.0.0", host != "::" else { return HostAndPort.isLoopback(device.host) }
        guard host != device.host else { return true }
        // One of them is "localhost".
        let hasName = IPAddress(parsing: host) == nil || IPAddress(parsing: device.host) == nil
        return hasName && isLoopback && HostAndPort.isLoopback(device.host)
    }

    /// Whether only programs of this machine can connect: 127.0.0.0/8, ::1 or localhost.
    public var isLoopback: Bool {
        host.map(HostAndPort.isLoopback) ?? false
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The address in a form that ``init(parsing:)`` reads, such as "127.0.0.1:8000" or "*:8000".
    public var description: String {
        HostAndPort(host: host ?? "*", port: port).description
    }
}
