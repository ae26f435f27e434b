package import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension DeviceAddress {
    /// The socket addresses of the device, in the system's order of preference.
    package func resolve(on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        if let address = try? SocketAddress(ipAddress: host, port: port) {
            return eventLoop.makeSucceededFuture([address])
        }
        // The system's look-up blocks, for many seconds when a name server is away: never on the loop.
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try lookUp() }
    }

    private func lookUp() throws -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw DeviceAddressError.lookUpFailed(self, String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = entry.ai_addr else { continue }
            switch entry.ai_family {
            case AF_INET:
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee))
                }
            case AF_INET6:
                address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    addresses.append(SocketAddress($0.pointee))
                }
            default:
                continue
            }
        }
        return addresses
    }
}

/// Why a device's name leads nowhere.
enum DeviceAddressError: Error, CustomStringConvertible {
    case lookUpFailed(DeviceAddress, String)
    case noAddress(DeviceAddress)

    var description: String {
        switch self {
        case .lookUpFailed(let device, let reason): "the name '\(device.host)' cannot be looked up: \(reason)"
        case .noAddress(let device): "the name '\(device.host)' has no IP address"
        }
    }
}
