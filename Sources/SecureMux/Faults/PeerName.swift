package import NIOCore

extension Channel {
    /// The other side's address and port as people write them: `192.0.2.7:51234`, `[2001:db8::7]:51234`.
    package var peerName: String { remoteAddress?.peerName ?? "unknown" }
}

extension SocketAddress {
    /// The address and port as people write them.
    package var peerName: String {
        guard let ip = ipAddress, let port else { return "unknown" }
        let mapped = "::ffff:"
        if ip.hasPrefix(mapped), ip.contains(".") { return "\(ip.dropFirst(mapped.count)):\(port)" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}
