#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a Unix socket is, for the system.
struct UnixSocketAddress: Sendable {
    private var address = sockaddr_un()
    private let length: socklen_t

    private static let nameOffset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    /// The most bytes that a path may have: one more ends it.
    static let longestPath = MemoryLayout<sockaddr_un>.size - nameOffset - 1

    /// A socket in the file system; nil if its path is empty or too long.
    init?(path: String) {
        self.init(path.utf8 + [0])
    }

    /// What `NOTIFY_SOCKET` says: a path, or after `@` a name that is in no file system.
    ///
    /// Nil for any other kind.
    init?(serviceManagers name: String) {
        if name.hasPrefix("/") {
            self.init(path: name)
        } else if name.hasPrefix("@") {
            self.init([0] + name.utf8.dropFirst())
        } else {
            return nil
        }
    }

    private init?(_ name: some Collection<UInt8>) {
        guard name.count > 1, name.count <= Self.longestPath + 1 else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        length = socklen_t(Self.nameOffset + name.count)
    }

    /// Lends what system calls want.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}

/// Makes a Unix socket that no program inherits; negative if there can be none, and `errno` says why.
func unixSocket(_ kind: UnixSocketKind) -> CInt {
    #if canImport(Darwin)
        let descriptor = socket(AF_UNIX, kind == .stream ? SOCK_STREAM : SOCK_DGRAM, 0)
    #elseif canImport(Glibc)
        let descriptor = socket(AF_UNIX, CInt((kind == .stream ? SOCK_STREAM : SOCK_DGRAM).rawValue), 0)
    #else
        let descriptor = socket(AF_UNIX, CInt(kind == .stream ? SOCK_STREAM : SOCK_DGRAM), 0)
    #endif
    if descriptor >= 0 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    return descriptor
}

/// Whether a Unix socket has connections or sends messages to an address.
enum UnixSocketKind {
    case stream
    case datagram
}

/// Bounds how long a socket may make its thread wait, for either direction.
func setTimeout(of descriptor: CInt, receiving: Duration? = nil, sending: Duration? = nil) {
    for (option, limit) in [(SO_RCVTIMEO, receiving), (SO_SNDTIMEO, sending)] {
        guard let limit else { continue }
        // A `struct timeval`: seconds, and none of a million parts of one.
        let time = [Int(limit.components.seconds), 0]
        _ = time.withUnsafeBytes { setsockopt(descriptor, SOL_SOCKET, option, $0.baseAddress, socklen_t($0.count)) }
    }
}

extension CInt {
    /// For `send`: an error, and no signal, when nobody is there any more.
    static var noSignal: CInt {
        #if canImport(Darwin)
            0
        #else
            CInt(MSG_NOSIGNAL)
        #endif
    }
}
