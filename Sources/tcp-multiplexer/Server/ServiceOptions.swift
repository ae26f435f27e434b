import ArgumentParser
import SecureMux
import ServerSettings

/// How the process is run.
struct ServiceOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: .setting(.watch))
    var watch: Bool?

    @Option(help: .setting(.control), transform: Setting.control.checked)
    var control: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written.set(.watch, watch)
        written[.control] = control
    }
}
