import ArgumentParser
import SecureMux
import ServerSettings

/// Which requests may share an answer, and which go first.
struct ReadWriteOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: .setting(.coalesce))
    var coalesce: Bool?

    @Option(help: .setting(.maxAge), transform: Setting.maxAge.checked)
    var maxAge: String?

    @Flag(inversion: .prefixedNo, help: .setting(.writePriority))
    var writePriority: Bool?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written.set(.coalesce, coalesce)
        written[.maxAge] = maxAge
        written.set(.writePriority, writePriority)
    }
}
