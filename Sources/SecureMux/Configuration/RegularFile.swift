#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small file that is read at once, and whoever names it is never made to wait: a pipe, a device or a socket is refused, since
/// nobody knows when it ends.
package struct RegularFile {
    /// What it holds, from its beginning, as far as it was to be read.
    package let bytes: [UInt8]
    /// Whether others than its owner and its group can read it, or others than its owner change it.
    package let isOpenToOthers: Bool

    /// Why a file cannot be read: a clause that stands after its name, such as "does not exist".
    package struct Problem: Error, Hashable, CustomStringConvertible {
        /// What is wrong, in words that fit after the file's name.
        package let description: String
    }

    /// Reads at most `limit` bytes.
    package init(_ path: String, atMost limit: Int) throws(Problem) {
        // A pipe would not open before somebody writes to it; a terminal would become ours.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard file >= 0 else { throw Problem(errno) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Problem(errno) }
        if let kind = Self.name(ofKind: status.st_mode & S_IFMT) { throw Problem(description: "is \(kind)") }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: min(limit, 64 << 10))
        while bytes.count < limit {
            let count = read(file, &part, min(part.count, limit - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Problem(errno) }
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        self.bytes = bytes
        isOpenToOthers = status.st_mode & 0o026 != 0
    }

    private static func name(ofKind kind: mode_t) -> String? {
        switch kind {
        case S_IFREG: nil
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe and no file"
        case S_IFSOCK: "a socket and no file"
        case S_IFCHR, S_IFBLK: "a device and no file"
        default: "no file"
        }
    }
}

extension RegularFile.Problem {
    fileprivate init(_ error: Int32) {
        description =
            switch error {
            case ENOENT: "does not exist"
            case EACCES: "may not be read by this user"
            // A socket is not opened like a file.
            case ENXIO: "is a socket, or a device, and no file"
            default: "cannot be read (\(String(cString: strerror(error))))"
            }
    }
}
