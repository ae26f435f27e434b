import NIOConcurrencyHelpers
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A socket that listens, before a channel takes it over: whoever connects waits in the system's queue.
///
/// So all addresses are known to be free before anything else is changed, and a socket can be handed from one listener to
/// another without that anybody is refused. It is closed with the last reference to it, unless it was taken.
final class ListeningSocket: Sendable {
    private let descriptor: NIOLockedValueBox<CInt?>

    /// How many may wait to be accepted.
    private static let backlog: CInt = 1024

    private init(_ descriptor: CInt) {
        self.descriptor = NIOLockedValueBox(descriptor)
    }

    deinit {
        if let descriptor = take() { close(descriptor) }
    }

    /// Listens at an address; all interfaces are one socket for IPv4 and IPv6, or for IPv4 alone where that is all there is.
    ///
    /// With `sharesPort` other sockets of this user may listen at an address that overlaps this one, if they share theirs, too.
    /// May take a while, since a name is looked up.
    static func open(at address: ListenAddress, sharesPort: Bool = false) throws -> ListeningSocket {
        if let host = address.host { return try open(host, address.port, sharesPort) }
        do {
            return try open("::", address.port, sharesPort)
        } catch let error as IOError where error.errnoCode == EAFNOSUPPORT || error.errnoCode == EADDRNOTAVAIL {
            return try open("0.0.0.0", address.port, sharesPort)
        }
    }

    private static func open(_ host: String, _ port: Int, _ sharesPort: Bool) throws -> ListeningSocket {
        let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        let opened = try made(address)
        if sharesPort { opened.sharePort(true) }
        try opened.bind(to: address)
        try opened.descriptor.withLockedValue { descriptor in
            guard let descriptor else { return }
            try checked("listen") { listen(on: descriptor) }
        }
        return opened
    }

    private static func made(_ address: SocketAddress) throws -> ListeningSocket {
        #if canImport(Glibc)
            let type = CInt(SOCK_STREAM.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        let descriptor = try checked("socket") { socket(address.protocol.rawValue, type, 0) }
        let made = ListeningSocket(descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        set(SO_REUSEADDR, true, descriptor)
        return made
    }

    private func bind(to address: SocketAddress) throws {
        try descriptor.withLockedValue { descriptor in
            guard let descriptor else { return }
            try Self.checked("bind") { address.withSockAddr { systemBind(descriptor, $0, socklen_t($1)) } }
        }
    }

    /// The same socket once more: both have one queue, and it listens until both are closed.
    convenience init(duplicating descriptor: CInt) throws {
        self.init(try Self.checked("dup") { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) })
    }

    /// Hands the socket over, once.
    func take() -> CInt? {
        descriptor.withLockedValue { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
    }

    /// Ends or begins the sharing of its port.
    func sharePort(_ isShared: Bool) {
        descriptor.withLockedValue { if let descriptor = $0 { Self.sharePort(descriptor, isShared) } }
    }

    /// The port that it listens at; nil if it was taken.
    var port: Int? {
        descriptor.withLockedValue { descriptor in
            guard let descriptor else { return nil }
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let isKnown = withUnsafeMutablePointer(to: &storage) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
            }
            guard isKnown else { return nil }
            // Behind the family, in network byte order, of IPv4 and IPv6 alike.
            return withUnsafeBytes(of: storage) { Int($0[2]) << 8 | Int($0[3]) }
        }
    }

    /// Lets as many wait as they should.
    @discardableResult
    static func listen(on descriptor: CInt) -> CInt {
        #if canImport(Glibc)
            Glibc.listen(descriptor, backlog)
        #elseif canImport(Musl)
            Musl.listen(descriptor, backlog)
        #else
            Darwin.listen(descriptor, backlog)
        #endif
    }

    /// Lets another socket of this user that does the same listen at an address that overlaps this one's, or not.
    static func sharePort(_ descriptor: CInt, _ isShared: Bool) { set(SO_REUSEPORT, isShared, descriptor) }

    /// Has the system forget that a port was shared, as far as it can be made to.
    ///
    /// Linux remembers the last socket that was bound to a port while it shared it, and lets others of the same user join that one
    /// even when it shares no more: until another one is bound to that port that does not share it, at any address.
    static func forgetSharing(_ port: Int) {
        for host in ["127.255.255.254", "::1", "127.0.0.1"] {
            if (try? bound(host, port)) != nil { return }
        }
    }

    /// A socket that is bound and does not listen.
    private static func bound(_ host: String, _ port: Int) throws -> ListeningSocket {
        let address = try SocketAddress(ipAddress: host, port: port)
        let bound = try made(address)
        try bound.bind(to: address)
        return bound
    }

    private static func set(_ option: CInt, _ isOn: Bool, _ descriptor: CInt) {
        var value: CInt = isOn ? 1 : 0
        _ = setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    @discardableResult
    private static func checked(_ call: String, _ body: () -> CInt) throws -> CInt {
        let result = body()
        guard result >= 0 else { throw IOError(errnoCode: errno, reason: call) }
        return result
    }
}

/// The system's `bind`, which a method hides.
private func systemBind(_ descriptor: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> CInt {
    bind(descriptor, address, length)
}
