import Logging
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The socket through which a server is told what to do, by its own user and root.
///
/// It has a thread of its own: whatever happens here costs clients and devices nothing.
struct ControlSocket: Sendable {
    /// Does what is asked for.
    typealias Answer = @Sendable (ControlRequest) async -> ControlResponse

    private let path: String
    /// Which file the socket is; nil if that cannot be known.
    private let file: FileIdentity?

    /// Opens a socket at a path, in place of one that was left behind.
    ///
    /// - Throws: ``ControlSocketError`` when another server listens there, or it cannot be opened.
    static func open(
        at path: String,
        logger: Logger,
        answer: @escaping Answer
    ) async throws(ControlSocketError) -> ControlSocket {
        let descriptor = try listeningSocket(at: path)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let connections = NIOLoopBound<ControlConnections>.self
        do {
            let bound = try await group.next().submit {
                connections.init(ControlConnections(logger: logger, answer: answer), eventLoop: group.next())
            }.get()
            _ = try await ServerBootstrap(group: group)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ControlConnection(in: bound.value))
                    }
                }
                .withBoundSocket(descriptor)
                .get()
        } catch {
            try? await group.shutdownGracefully()
            throw ControlSocketError(path: path, reason: "\(error)")
        }
        return ControlSocket(path: path, file: FileIdentity(path))
    }

    /// Removes the file, unless it is another's by now; to be called before the process ends, which closes all else.
    func remove() {
        guard let file, FileIdentity(path) == file else { return }
        unlink(path)
    }
}

// MARK: - The file

extension ControlSocket {
    private static func listeningSocket(at path: String) throws(ControlSocketError) -> CInt {
        guard let address = UnixSocketAddress(path: path) else {
            throw ControlSocketError(
                path: path,
                reason: "a socket's path has 1 to \(UnixSocketAddress.longestPath) bytes"
            )
        }
        do {
            return try bind(address, path)
        } catch  where error.isTaken {
            try removeStale(address, path)
            return try bind(address, path)
        }
    }

    private static func bind(_ address: UnixSocketAddress, _ path: String) throws(ControlSocketError) -> CInt {
        let descriptor = unixSocket(.stream)
        guard descriptor >= 0 else { throw ControlSocketError(path: path, errno: errno) }
        // Before it has a name, so that it never has one with other rights. Not every system heeds it; peers are checked anyway.
        fchmod(descriptor, 0o600)
        let status = address.withPointer { address, length in
            #if canImport(Glibc)
                Glibc.bind(descriptor, address, length)
            #elseif canImport(Musl)
                Musl.bind(descriptor, address, length)
            #else
                Darwin.bind(descriptor, address, length)
            #endif
        }
        guard status == 0 else {
            let error = ControlSocketError(path: path, errno: errno)
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Removes what a server left behind that was killed.
    private static func removeStale(_ address: UnixSocketAddress, _ path: String) throws(ControlSocketError) {
        guard FileIdentity(path)?.isSocket == true else {
            throw ControlSocketError(path: path, reason: "there is a file of this name, and it is no socket")
        }
        let descriptor = unixSocket(.stream)
        guard descriptor >= 0 else { throw ControlSocketError(path: path, errno: errno) }
        defer { close(descriptor) }
        setTimeout(of: descriptor, sending: .seconds(2))
        let status = address.withPointer { address, length in connect(descriptor, address, length) }
        guard status != 0, errno == ECONNREFUSED else {
            throw ControlSocketError(path: path, reason: "another server listens there", isTaken: true)
        }
        unlink(path)
    }
}

/// Which file a path leads to.
private struct FileIdentity: Hashable, Sendable {
    let isSocket: Bool
    private let device: UInt64
    private let inode: UInt64

    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
        (device, inode) = (UInt64(truncatingIfNeeded: status.st_dev), UInt64(status.st_ino))
    }
}

/// Why a control socket cannot be opened.
struct ControlSocketError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    /// Whether it is another server's.
    var isTaken = false

    var description: String { "the control socket \(path) cannot be opened: \(reason)" }
}

extension ControlSocketError {
    fileprivate init(path: String, errno: CInt) {
        self.init(path: path, reason: String(cString: strerror(errno)), isTaken: errno == EADDRINUSE)
    }
}
