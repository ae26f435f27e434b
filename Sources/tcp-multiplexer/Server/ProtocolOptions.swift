import ArgumentParser
import MultiplexerCore

/// What clients and device speak, and how it is written on the wire.
struct ProtocolOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("protocol"), .customLong("applicationProtocol")],
        help: ArgumentHelp(
            "What clients and device speak; 'tcp-multiplexer list' explains each. (default: echo)",
            valueName: "name"
        ),
        transform: Parse.applicationProtocol
    )
    var givenProtocol: ApplicationProtocol?

    @OptionGroup
    var format: FormatOptions

    func validate() throws {
        _ = try applicationProtocol()
    }

    /// The protocol with the settings that were given; echo when none is named, as in the Go program.
    func applicationProtocol() throws -> ApplicationProtocol {
        try format.applied(to: givenProtocol ?? .echo)
    }
}
