/// An application protocol that clients and device speak: its name, its framing and what its messages say.
public struct ApplicationProtocol: Sendable {
    /// The name on the command line.
    public let name: String
    /// Other names for it.
    public let aliases: [String]
    /// One line that tells users whether this is the one they want.
    public let summary: String
    /// How its messages are cut out of the stream.
    package let framing: any Framing
    /// What its messages say.
    package let messageRules: any MessageRules

    /// The protocol with this name or alias, or nil.
    public static func named(_ name: String) -> ApplicationProtocol? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// Every protocol that the program speaks.
    public static let all: [ApplicationProtocol] = [.modbus, .echo]

    /// Modbus/TCP.
    public static let modbus = ApplicationProtocol(
        name: "modbus",
        aliases: ["modbus-tcp"],
        summary: "Modbus/TCP: inverters, meters, wallboxes, PLCs, usually on port 502",
        framing: ModbusTCPFraming(),
        messageRules: ModbusMessageRules()
    )

    /// Lines of text.
    public static let echo = ApplicationProtocol(
        name: "echo",
        aliases: ["line"],
        summary: "one line in, one line out, each ended by a newline: text consoles, echo servers",
        framing: LineFraming(),
        messageRules: OpaqueMessageRules()
    )
}
