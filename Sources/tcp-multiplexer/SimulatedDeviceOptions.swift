import ArgumentParser
import MultiplexerCore
import SecureMux
import ServerSettings

struct SimulatedDeviceOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: ArgumentHelp(
            "Where the device is to be reached: a port (all interfaces), host:port or [address]:port. (default: 127.0.0.1:1502)",
            valueName: "address"
        ),
        transform: ListenAddress.init(parsing:)
    )
    var listen = ListenAddress(checked: "127.0.0.1", port: 1502)

    @Option(
        name: [.customShort("p"), .customLong("protocol")],
        help: ArgumentHelp(
            """
            What the device speaks: modbus (Modbus/TCP), modbus-rtu, modbus-serial, or one whose messages come back: echo, \
            delimited, length-prefixed, iso8583, mpu. (default: modbus)
            """,
            valueName: "name"
        ),
        transform: Parse.applicationProtocol
    )
    var givenProtocol = ApplicationProtocol.modbus

    @Option(
        help: ArgumentHelp(
            """
            How many connections the device takes at a time; a further one is closed at once, as real inverters do. 0: any \
            number.
            """,
            valueName: "count"
        )
    )
    var connections = 1

    @Option(
        help: ArgumentHelp(
            "How long the device works on each request; the next one waits. (default: 0s)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var responseDelay = Duration.zero

    @Option(
        help: ArgumentHelp(
            "Close connections that were idle for so long, as many devices do. (default: never)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var idleTimeout: Duration?

    func validate() throws {
        guard connections >= 0 else {
            throw ValidationError("--connections must be 0 (any number) or more")
        }
        guard idleTimeout != .zero else {
            throw ValidationError("--idle-timeout must be longer than 0; leave it out to never close idle connections")
        }
    }
}
