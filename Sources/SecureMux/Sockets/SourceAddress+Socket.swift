import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension SourceAddress {
    /// What to bind a socket to that is to reach `device`.
    ///
    /// - Throws: ``SourceAddressError`` where one is IPv4 and the other IPv6.
    func socketAddress(toReach device: SocketAddress) throws(SourceAddressError) -> SocketAddress {
        let anyAddress = device.protocol == .inet6 ? "::" : "0.0.0.0"
        let found = try? SocketAddress(ipAddress: host ?? anyAddress, port: port ?? 0)
        guard let found, found.protocol == device.protocol else {
            throw SourceAddressError(description: "the source address \(self) is of another family than the device's")
        }
        return found
    }
}

/// Why a device cannot be reached from where it is to be.
struct SourceAddressError: Error, CustomStringConvertible {
    let description: String
}

extension Channel {
    /// Closes a connection so that its port can be used again at once, if nothing of ours is on its way.
    ///
    /// After an orderly end of ours the port would be blocked for a minute (TIME-WAIT, RFC 9293, section 3.6.1); after a reset it is
    /// not. What the other side has not acknowledged would be lost with a reset, so then the end is an orderly one.
    func closeLeavingPortFree() {
        if unacknowledged == 0 {
            // Done at once, since this is the channel's loop.
            (self as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .assumeIsolated().whenComplete { _ in }
        }
        close(promise: nil)
    }

    #if os(Linux)
        /// How many segments the other side has not acknowledged: `tcpi_unacked` of Linux's `struct tcp_info`, at byte 24.
        private var unacknowledged: UInt32? {
            typealias Words = InlineArray<8, UInt32>
            var words: Words?
            (self as? any SocketOptionProvider)?
                .unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
                .assumeIsolated().whenSuccess { (read: Words) in words = read }
            return words.map { $0[6] }
        }
    #else
        private var unacknowledged: UInt32? { nil }
    #endif
}
