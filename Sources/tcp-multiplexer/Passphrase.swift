import SecureMux

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A passphrase kept in a file, so that no process list shows it.
enum Passphrase {
    /// How many bytes are read: OpenSSL takes no longer passphrase.
    private static let limit = 1024
    private static let (lineFeed, carriageReturn): (UInt8, UInt8) = (0x0A, 0x0D)

    /// The file's first line, without what ends it.
    ///
    /// - Throws: ``ConfigurationError`` that names the option and says why there is no passphrase.
    static func read(_ path: String, option: String) throws(ConfigurationError) -> String {
        func refused(_ reason: String) -> ConfigurationError {
            ConfigurationError("\(option) \(path) \(reason)")
        }
        var bytes = [UInt8](repeating: 0, count: limit)
        guard let file = fopen(path, "r") else {
            throw refused("cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        let count = fread(&bytes, 1, limit, file)
        // A folder opens, but cannot be read.
        guard ferror(file) == 0 else {
            throw refused("cannot be read: \(String(cString: strerror(errno)))")
        }

        var line = bytes.prefix(count)
        if let end = line.firstIndex(of: lineFeed) {
            line = line[..<end]
            if line.last == carriageReturn { line.removeLast() }
        } else if count == limit {
            throw refused("has a first line that is longer than a passphrase may be, \(limit - 1) bytes")
        }
        guard !line.isEmpty else { throw refused("is empty in its first line, where the passphrase is expected") }
        guard let passphrase = String(validating: line, as: UTF8.self) else {
            throw refused("has a first line that is not UTF-8")
        }
        return passphrase
    }
}
