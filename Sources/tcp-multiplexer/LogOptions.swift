import ArgumentParser
import Logging
import SecureMux
import ServerSettings

/// What the log says.
struct LogOptions: ParsableArguments {
    @Flag(
        name: [.short, .long],
        help: "Say more: what --log-level info says."
    )
    var verbose = false

    @Flag(name: [.short, .long], help: "Say everything, each request too: what --log-level debug says.")
    var debug = false

    @Option(help: .setting(.logLevel), transform: Setting.logLevel.checked)
    var logLevel: String?

    @Option(help: .setting(.logFile), transform: Setting.logFile.checked)
    var logFile: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written[.logLevel] = debug ? "debug" : verbose ? "info" : logLevel
        written[.logFile] = logFile
    }
}
