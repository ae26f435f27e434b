package import SecureMux

/// A passphrase kept in a file, so that no process list shows it.
package enum Passphrase {
    /// How many bytes are read: OpenSSL takes no longer passphrase.
    private static let limit = 1024
    /// Some editors begin a file of UTF-8 with it.
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let (lineFeed, carriageReturn): (UInt8, UInt8) = (0x0A, 0x0D)

    /// The file's first line, without what ends it.
    ///
    /// - Throws: ``ConfigurationError`` that names the setting and says why there is no passphrase.
    package static func read(_ path: String, for setting: Setting) throws(ConfigurationError) -> String {
        func refused(_ reason: String) -> ConfigurationError {
            ConfigurationError("\(setting, path) \(reason)")
        }
        let bytes: [UInt8]
        do {
            bytes = try RegularFile(path, atMost: limit).bytes
        } catch {
            throw refused("\(error)")
        }

        var line = bytes.dropFirst(bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0)
        if let end = line.firstIndex(of: lineFeed) {
            line = line[..<end]
            if line.last == carriageReturn { line.removeLast() }
        } else if bytes.count == limit {
            throw refused("has a first line that is longer than a passphrase may be, \(limit - 1) bytes")
        }
        guard !line.isEmpty else { throw refused("is empty in its first line, where the passphrase is expected") }
        guard let passphrase = String(validating: line, as: UTF8.self) else {
            throw refused("has a first line that is not UTF-8")
        }
        return passphrase
    }
}
