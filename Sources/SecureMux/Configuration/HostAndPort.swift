import MultiplexerCore

/// What addresses to listen on and addresses of devices have in common: `host:port`, with IPv6 addresses in brackets.
struct HostAndPort {
    /// A name, an IPv4 address, an IPv6 address without brackets, `*` or nothing.
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init(parsing text: String, ports: ClosedRange<Int>) throws(InvalidText) {
        guard !text.isEmpty else { throw InvalidText("it is empty") }
        guard !text.contains("/") else {
            throw InvalidText("only a host and a port are allowed, neither scheme nor path")
        }
        let (host, port) =
            text.hasPrefix("[") ? try Self.splitAfterBracket(text) : try Self.splitAtColon(text)
        self.init(host: host, port: try Self.port(port, in: ports))
    }

    static func port(_ text: some StringProtocol, in range: ClosedRange<Int>) throws(InvalidText) -> Int {
        guard !text.isEmpty else { throw InvalidText("it names no port") }
        guard text.utf8.allSatisfy(\.isDecimalDigit) else { throw InvalidText("'\(text)' is not a port number") }
        // More digits than an Int holds are out of range too.
        guard let port = Int(text), range.contains(port) else {
            throw InvalidText("port \(text) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return port
    }

    static func isLoopback(_ host: String) -> Bool {
        if let address = IPAddress(parsing: host) { return address.isLoopback }
        // RFC 6761, section 6.3: names below localhost are loopback too.
        let name = host.lowercased()
        return name == "localhost" || name.hasSuffix(".localhost")
    }

    private static func splitAfterBracket(_ text: String) throws(InvalidText) -> (host: String, port: Substring) {
        guard let end = text.firstIndex(of: "]") else { throw InvalidText("the bracket is not closed") }
        let host = String(text[text.index(after: text.startIndex)..<end])
        let rest = text[text.index(after: end)...]
        guard host.contains(":") else { throw InvalidText("brackets are for IPv6 addresses") }
        let zone = host.firstIndex(of: "%")
        guard
            IPAddress(parsing: host[..<(zone ?? host.endIndex)]) != nil,
            zone.map({ host.index(after: $0) < host.endIndex }) ?? true
        else { throw InvalidText("'\(host)' is not an IPv6 address") }
        guard !rest.isEmpty else { throw InvalidText("it names no port") }
        guard rest.hasPrefix(":") else { throw InvalidText("a colon and the port have to follow the bracket") }
        return (host, rest.dropFirst())
    }

    private static func splitAtColon(_ text: String) throws(InvalidText) -> (host: String, port: Substring) {
        guard let colon = text.firstIndex(of: ":") else { throw InvalidText("it names no port") }
        let host = String(text[..<colon])
        let port = text[text.index(after: colon)...]
        guard !port.contains(":") else { throw InvalidText("an IPv6 address has to stand in brackets") }
        guard host.utf8.allSatisfy(\.isAllowedInHostName) || host == "*" else {
            throw InvalidText("'\(host)' is neither a host name nor an IP address")
        }
        let looksLikeIPv4 = !host.isEmpty && host.utf8.allSatisfy { $0.isDecimalDigit || $0 == UInt8(ascii: ".") }
        guard !looksLikeIPv4 || IPAddress(parsing: host) != nil else {
            throw InvalidText("'\(host)' is not an IPv4 address")
        }
        return (host, port)
    }
}

extension HostAndPort: CustomStringConvertible {
    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension UInt8 {
    var isDecimalDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    fileprivate var isAllowedInHostName: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
            UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default:
            isDecimalDigit
        }
    }
}
