#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where log lines and the reasons for a failure go.
enum StandardError {
    /// Writes one line, in one go where the system lets it: lines of several threads do not mix.
    static func say(_ line: String) {
        var rest = Array("\(line)\n".utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            // Nobody is left to tell.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
