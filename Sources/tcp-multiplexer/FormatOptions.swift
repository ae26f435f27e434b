import ArgumentParser
import SecureMux
import ServerSettings

/// How messages of a protocol are told apart on the wire, where that can be chosen.
struct FormatOptions: ParsableArguments {
    @Option(help: .setting(.delimiter), transform: Setting.delimiter.checked)
    var delimiter: String?

    @Option(help: .setting(.lengthBytes), transform: Setting.lengthBytes.checked)
    var lengthBytes: String?

    @Option(help: .setting(.lengthFormat), transform: Setting.lengthFormat.checked)
    var lengthFormat: String?

    @Option(help: .setting(.lengthOrder), transform: Setting.lengthOrder.checked)
    var lengthOrder: String?

    @Flag(inversion: .prefixedNo, help: .setting(.lengthIncludesHeader))
    var lengthIncludesHeader: Bool?

    @Option(help: .setting(.headerBytes), transform: Setting.headerBytes.checked)
    var headerBytes: String?

    @Option(help: .setting(.lengthAdds), transform: Setting.lengthAdds.checked)
    var lengthAdds: String?

    @Option(help: .setting(.maxMessage), transform: Setting.maxMessage.checked)
    var maxMessage: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written[.delimiter] = delimiter
        written[.lengthBytes] = lengthBytes
        written[.lengthFormat] = lengthFormat
        written[.lengthOrder] = lengthOrder
        written.set(.lengthIncludesHeader, lengthIncludesHeader)
        written[.headerBytes] = headerBytes
        written[.lengthAdds] = lengthAdds
        written[.maxMessage] = maxMessage
    }
}
