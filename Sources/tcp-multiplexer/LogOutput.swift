import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where lines of the log go: standard error, or the end of a file.
final class LogOutput: Sendable {
    /// For those who started us.
    static let standardError = LogOutput()

    private let path: String?
    private let descriptor: NIOLockedValueBox<CInt>

    private init() {
        path = nil
        descriptor = NIOLockedValueBox(STDERR_FILENO)
    }

    /// The end of a file, which is made if there is none.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened.
    init(file: String) throws(LogFileError) {
        path = file
        descriptor = NIOLockedValueBox(try Self.open(file))
    }

    /// Writes one line, in one go where the system lets it: lines of several threads do not mix.
    func say(_ line: String) {
        descriptor.withLockedValue { StandardError.write("\(line)\n", to: $0) }
    }

    /// Opens the file anew, for those who have moved it away; what comes meanwhile goes to the old one.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened; then the old one goes on.
    func reopen() throws(LogFileError) {
        guard let path else { return }
        let new = try Self.open(path)
        let old = descriptor.withLockedValue { descriptor in
            defer { descriptor = new }
            return descriptor
        }
        close(old)
    }

    private static func open(_ file: String) throws(LogFileError) -> CInt {
        #if canImport(Glibc)
            let descriptor = Glibc.open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
        #elseif canImport(Musl)
            let descriptor = Musl.open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
        #else
            let descriptor = Darwin.open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
        #endif
        guard descriptor >= 0 else { throw LogFileError(file: file, reason: String(cString: strerror(errno))) }
        return descriptor
    }
}

/// Why a log file cannot be written.
struct LogFileError: Error, CustomStringConvertible {
    let file: String
    let reason: String

    var description: String { "the log file \(file) cannot be written: \(reason)" }
}
