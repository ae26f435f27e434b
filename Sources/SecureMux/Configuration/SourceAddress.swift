import MultiplexerCore

/// Where connections to a device come from: an address of this machine, a port of it, or both.
///
/// A device that counts the connection of a program that has died lets a new one from the same address *and* port in at once: its
/// answer to the attempt finds nobody, and it learns that the old connection is gone (RFC 9293, section 3.10.7.4).
public struct SourceAddress: Hashable, Sendable {
    /// An IP address of this machine, without brackets; nil for the one that the system chooses.
    public let host: String?
    /// The TCP port, 1 to 65535; nil for the one that the system chooses.
    public let port: Int?

    /// Reads an address such as `192.168.1.5:40502`, `192.168.1.5`, `:40502`, `[fd00::5]:40502` or `fd00::5`.
    ///
    /// - Throws: ``ConfigurationError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ConfigurationError) {
        do {
            if IPAddress(parsing: text) != nil {
                (host, port) = (text, nil)
            } else {
                let parts = try HostAndPort(parsing: text, ports: 1...65_535)
                guard parts.host.isEmpty || IPAddress(parsing: parts.host) != nil else {
                    throw InvalidText("'\(parts.host)' is not an IP address of this machine")
                }
                (host, port) = (parts.host.isEmpty ? nil : parts.host, parts.port)
            }
        } catch {
            throw ConfigurationError(
                "'\(text)' is no address to connect from: \(error). Write 192.168.1.5:40502, 192.168.1.5 or :40502"
            )
        }
    }
}

extension SourceAddress: CustomStringConvertible {
    /// The address in a form that ``init(parsing:)`` reads.
    public var description: String {
        guard let port else { return host ?? "" }
        return HostAndPort(host: host ?? "", port: port).description
    }
}
