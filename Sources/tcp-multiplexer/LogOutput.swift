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
    static let standardError = LogOutput(Place.standardError)

    private let place: NIOLockedValueBox<Place>

    private init(_ place: Place) {
        self.place = NIOLockedValueBox(place)
    }

    /// The end of a file, which is made if there is none; standard error for nil.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened.
    convenience init(file: String?) throws(LogFileError) {
        self.init(try Place(file: file))
    }

    /// The file; nil for standard error.
    var file: String? { place.withLockedValue { $0.file } }

    /// Writes one line, in one go where the system lets it: lines of several threads do not mix.
    func say(_ line: String) {
        place.withLockedValue { StandardError.write("\(line)\n", to: $0.descriptor) }
    }

    /// Opens the file anew, for those who have moved it away; what comes meanwhile goes to the old one.
    ///
    /// - Throws: ``LogFileError`` when it cannot be opened; then the old one goes on.
    func reopen() throws(LogFileError) {
        guard let file else { return }
        move(to: try Place(file: file))
    }

    /// Goes on elsewhere.
    func move(to new: Place) {
        let old = place.withLockedValue { place in
            defer { place = new }
            return place
        }
        old.close()
    }
}

extension LogOutput {
    /// A place for lines that is open.
    struct Place: Sendable {
        /// Nil for standard error.
        let file: String?
        fileprivate let descriptor: CInt

        fileprivate static let standardError = Place()

        private init() {
            (file, descriptor) = (nil, STDERR_FILENO)
        }

        /// The end of a file, which is made if there is none; standard error for nil.
        ///
        /// - Throws: ``LogFileError`` when it cannot be opened.
        init(file: String?) throws(LogFileError) {
            guard let file else {
                self = .standardError
                return
            }
            self.file = file
            descriptor = try LogOutput.open(file)
        }

        /// Lets go of it; standard error stays.
        func close() {
            guard file != nil else { return }
            #if canImport(Glibc)
                _ = Glibc.close(descriptor)
            #elseif canImport(Musl)
                _ = Musl.close(descriptor)
            #else
                _ = Darwin.close(descriptor)
            #endif
        }
    }

    fileprivate static func open(_ file: String) throws(LogFileError) -> CInt {
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
