import ArgumentParser
import MultiplexerCore
import SecureMux

struct DeviceOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("target"), .customLong("targetServer")],
        help: ArgumentHelp(
            """
            The device: name or address, and port. It gets one connection, opened for the first request and closed --linger \
            after the last client that asked anything has left. (default: 127.0.0.1:1234)
            """,
            valueName: "host:port"
        ),
        transform: DeviceAddress.init(parsing:)
    )
    var givenTarget: DeviceAddress?

    @Option(
        name: .customLong("device-profile"),
        help: ArgumentHelp(
            """
            Times that are known to work with a kind of device, as defaults: \(DeviceProfile.all.map(\.name).joined(separator: ", ")). \
            Options that are given win. docs/devices.md says what each sets, and who says so. (default: none)
            """,
            valueName: "name"
        ),
        transform: Parse.deviceProfile
    )
    var profile: DeviceProfile?

    @Option(
        help: ArgumentHelp(
            """
            How many requests the device may have at a time, 1 to 16. Most devices take one; more is for those known to \
            answer several by their transaction ids.
            """,
            valueName: "count"
        )
    )
    var maxInFlight = 1

    /// The device that is shared; the Go program's default when none is named.
    var target: DeviceAddress { givenTarget ?? DeviceAddress(checked: "127.0.0.1", port: 1234) }
}
