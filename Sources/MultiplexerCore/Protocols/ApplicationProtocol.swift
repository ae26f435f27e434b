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
    package private(set) var framing: any Framing
    /// What its messages say.
    package private(set) var messageRules: any MessageRules
    /// How long the line is let fall quiet after a request that was not answered, before the next one is sent.
    ///
    /// Where no id tells a late answer from the next one, and the line behind an adapter outlasts a connection.
    public let quietTime: Duration

    package init(
        name: String,
        aliases: [String] = [],
        summary: String,
        messages: MessageKind,
        framing: any Framing,
        messageRules: any MessageRules,
        quietTime: Duration = .milliseconds(100)
    ) {
        self.name = name
        self.aliases = aliases
        self.summary = summary
        self.messages = messages
        self.framing = framing
        self.messageRules = messageRules
        self.quietTime = quietTime
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

        /// Whether messages are HTTP.
        package var isHTTP: Bool { if case .http = self { true } else { false } }
    }

    /// How it is spoken.
    package var wire: Wire { Wire(framing, messageRules) }

    /// The protocol with this name or alias, or nil.
    public static func named(_ name: String) -> ApplicationProtocol? {
        all.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// Every protocol that the program speaks, with the settings it has when nothing else is asked for.
    public static let all: [ApplicationProtocol] = [
        .modbus, .modbusSerial, .modbusRTU, .http, .iso8583, .mpu, .lengthPrefixed, .delimited, .echo,
    ]
}

extension ApplicationProtocol: Equatable {
    /// Whether both are spoken in the same way, with the same settings.
    public static func == (one: ApplicationProtocol, other: ApplicationProtocol) -> Bool {
        one.name == other.name && one.messages == other.messages && one.quietTime == other.quietTime
            && AnyHashable(one.framing) == AnyHashable(other.framing)
            && AnyHashable(one.messageRules) == AnyHashable(other.messageRules)
    }
}

extension ApplicationProtocol {
    /// This protocol as it is spoken with the clients of a device that speaks `device`.
    ///
    /// - Parameters:
    ///   - device: What the device speaks.
    ///   - unitMap: What the device calls the units that clients ask for; for Modbus only.
    /// - Returns: Nil where the messages of one cannot be put on the other's wire, or both have other settings.
    public func translated(to device: ApplicationProtocol, unitMap: UnitMap = UnitMap()) -> ApplicationProtocol? {
        guard let deviceRules = device.messageRules as? ModbusMessageRules,
            let rules = messageRules as? ModbusMessageRules
        else {
            return AnyHashable(framing) == AnyHashable(device.framing) && name == device.name ? self : nil
        }
        var translated = self
        // A device on a serial wire does not answer broadcasts, and a client on one does not wait for an answer.
        translated.messageRules = ModbusMessageRules(
            unitMap: unitMap,
            broadcastsUnit0: deviceRules.broadcastsUnit0 || rules.broadcastsUnit0,
            checksUnits: deviceRules.checksUnits
        )
        return translated
    }

    /// Whether requests to unit 0 are broadcasts, which get no answer.
    public var broadcastsUnit0: Bool { (messageRules as? ModbusMessageRules)?.broadcastsUnit0 ?? false }

    /// This protocol, Modbus of some form, for a device that takes requests to its unit 0 for broadcasts, or does not.
    public func broadcasting(unit0 isBroadcast: Bool) -> ApplicationProtocol {
        guard var rules = messageRules as? ModbusMessageRules else { return self }
        rules.broadcastsUnit0 = isBroadcast
        var changed = self
        changed.messageRules = rules
        return changed
    }

    /// This protocol, Modbus of some form, for a device that does not answer as the unit that was asked.
    public func ignoringUnits() -> ApplicationProtocol {
        guard var rules = messageRules as? ModbusMessageRules else { return self }
        rules.checksUnits = false
        var changed = self
        changed.messageRules = rules
        return changed
    }

    /// This protocol for a device that does not repeat transaction ids; nil where its frames have none.
    public func ignoringTransactionIDs() -> ApplicationProtocol? {
        var changed = self
        switch framing {
        case is ModbusTCPFraming: changed.framing = ModbusTCPFraming(ignoringTransactionIDs: true)
        case is ModbusTCPWithCRCFraming: changed.framing = ModbusTCPWithCRCFraming(ignoringTransactionIDs: true)
        default: return nil
        }
        return changed
    }
}
