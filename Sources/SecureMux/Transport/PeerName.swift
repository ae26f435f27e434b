import NIOCore

/// A peer's address as people write it: `192.0.2.7:51234`, `[2001:db8::7]:51234`.
struct PeerName: CustomStringConvertible {
    let description: String

    init(_ address: SocketAddress) {
        let ip = address.ipAddress ?? "unknown"
        let port = address.port ?? 0
        let mapped = "::ffff:"
        if ip.hasPrefix(mapped), ip.contains(".") {
            description = "\(ip.dropFirst(mapped.count)):\(port)"
        } else {
            description = ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
        }
    }
}
