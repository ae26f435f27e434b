import ArgumentParser
import SecureMux
import ServerSettings

/// Where clients connect over plain TCP, and who may.
struct ClientOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: .setting(.listen),
        transform: Setting.listen.checked
    )
    var listen: String?

    @Option(help: .setting(.allow), transform: Setting.allow.checked)
    var allow: [String] = []

    @Option(help: .setting(.deny), transform: Setting.deny.checked)
    var deny: [String] = []

    /// Writes down who may connect to a listener.
    func write(toListener written: inout WrittenSettings) {
        written[all: .allow] = allow
        written[all: .deny] = deny
    }
}
