import MultiplexerCore
import NIOCore

extension IPAddress {
    /// Reads an address such as `192.0.2.7` or `2001:db8::7`, or nil; no zone, since it would be lost.
    init?(parsing text: some StringProtocol) {
        guard !text.contains("%"), let address = try? SocketAddress(ipAddress: String(text), port: 0) else {
            return nil
        }
        self.init(address)
    }

    /// The IP address of a socket address, or nil where it has none.
    init?(_ address: SocketAddress) {
        // Where it stands in `sockaddr_in` and `sockaddr_in6`, the same on Linux and Darwin.
        let place: Range<Int>
        switch address {
        case .v4: place = 4..<8
        case .v6: place = 8..<24
        case .unixDomainSocket: return nil
        }
        self.init(
            bytes: address.withSockAddr { pointer, size in
                Array(UnsafeRawBufferPointer(start: pointer, count: size)[place])
            }
        )
    }
}
