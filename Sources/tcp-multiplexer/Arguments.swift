import SecureMux

/// Option values that a text can be refused for: the thrown error's description is what the user sees.
///
/// Used as `@Option(transform: Parse.duration)`; `ExpressibleByArgument` could only say that the value is invalid.
enum Parse {
    static func listenAddress(_ text: String) throws -> ListenAddress {
        try ListenAddress(parsing: text)
    }

    static func deviceAddress(_ text: String) throws -> DeviceAddress {
        try DeviceAddress(parsing: text)
    }

    static func duration(_ text: String) throws -> Duration {
        try Duration(parsing: text)
    }
}
