/// An application protocol that clients and device speak: its name, its framing and what its messages say.
public struct ApplicationProtocol: Sendable {
    /// The name on the command line.
    public let name: String
    /// Other names for it.
    public let aliases: [String]
    /// One line that tells users whether this is the one they want.
    public let summary: String
    /// What its messages are, whatever is put around them.
    public let messages: MessageKind
    /// How its messages are cut out of the stream.
    package let framing: any Framing
    /// What its messages say.
    package private(set) var messageRules: any MessageRules

    package init(
        name: String,
        aliases: [String] = [],
        summary: String,
        messages: MessageKind,
        framing: any Framing,
        messageRules: any MessageRules
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.messages = messages
        self.framing = framing
        self.messageRules = messageRules
    }

    /// What messages are, whatever is put around them on the wire.
    public enum MessageKind: Hashable, Sendable {
        /// Unit id and PDU.
        case modbus
        /// ISO 8583 messages.
        case iso8583
        /// HTTP/1 requests and responses within these limits.
        case http(HTTPLimits)
        /// Anything: nothing in them is looked at.
        case opaque
    }

    /// This protocol as it is spoken with clients of a device that speaks `device`.
    ///
    /// - Returns: Nil where the messages of one cannot be put on the other's wire.
    public func translated(to device: ApplicationProtocol) -> ApplicationProtocol? {
        messages == .opaque || messages != device.messages ? name == device.name ? self : nil : self
    }

    /// The protocol with this name or alias, or nil.
    public static func named(_ name: String) -> ApplicationProtocol? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// Every protocol that the program speaks, with the settings it has when nothing else is asked for.
    public static let all: [ApplicationProtocol] = [.modbus, .echo, .http]
}
