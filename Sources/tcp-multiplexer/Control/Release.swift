import ArgumentParser
import ServerSettings

struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Leave a device to somebody else for a while, its maker's app for example.",
        discussion: """
            What the device has been asked is finished, then its connection is closed; until the device is resumed, requests \
            fail at once, with exception 0x0A for Modbus. A restart of the server takes it back, too.
            """
    )

    @Argument(help: ArgumentHelp("The device's name, as the configuration file has it.", valueName: "name"))
    var device: String

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("For how long. (default: until 'tcp-multiplexer resume')", valueName: "duration"),
        transform: SettingValue.duration.checked
    )
    var duration: String?

    @OptionGroup
    var server: ControlOptions

    func run() throws {
        var arguments = ["device": device]
        arguments["for"] = duration
        try server.order(ControlRequest(command: "release", arguments: arguments))
    }
}

struct Resume: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Take a device back that was released.")

    @Argument(help: ArgumentHelp("The device's name, as the configuration file has it.", valueName: "name"))
    var device: String

    @OptionGroup
    var server: ControlOptions

    func run() throws {
        try server.order(ControlRequest(command: "resume", arguments: ["device": device]))
    }
}
