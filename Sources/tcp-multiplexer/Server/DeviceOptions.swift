import ArgumentParser
import SecureMux
import ServerSettings

/// Which device it is, and what is known of it.
struct DeviceOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("target"), .customLong("targetServer")],
        help: .setting(.device),
        transform: Setting.device.checked
    )
    var target: String?

    @Option(help: .setting(.source), transform: Setting.source.checked)
    var source: String?

    @Option(help: .setting(.deviceProfile), transform: Setting.deviceProfile.checked)
    var deviceProfile: String?

    @Option(help: .setting(.maxInFlight), transform: Setting.maxInFlight.checked)
    var maxInFlight: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written[.device] = target
        written[.source] = source
        written[.deviceProfile] = deviceProfile
        written[.maxInFlight] = maxInFlight
    }
}
