#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the reasons for a failure go.
enum StandardError {
    /// Writes one line.
    static func say(_ line: String) { write("\(line)\n", to: STDERR_FILENO) }

    /// Writes a text, in one go where the system lets it.
    static func write(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { bytes in
                #if canImport(Glibc)
                    Glibc.write(descriptor, bytes.baseAddress, bytes.count)
                #elseif canImport(Musl)
                    Musl.write(descriptor, bytes.baseAddress, bytes.count)
                #else
                    Darwin.write(descriptor, bytes.baseAddress, bytes.count)
                #endif
            }
            // Nobody is left to tell.
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
