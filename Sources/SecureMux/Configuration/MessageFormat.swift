public import MultiplexerCore

/// How messages are told apart on the wire, where a protocol lets that be chosen; nil for as the protocol has it.
public struct MessageFormat: Hashable, Sendable {
    /// What ends each message.
    public var delimiter: [UInt8]?
    /// How many bytes the length before each message takes.
    public var lengthBytes: Int?
    /// What the length is written with.
    public var lengthFormat: LengthPrefix.Format?
    /// Which byte of a binary length comes first.
    public var lengthOrder: LengthPrefix.Order?
    /// Whether the length counts itself and the header bytes too.
    public var lengthIncludesHeader: Bool
    /// How many bytes stand before the length.
    public var headerBytes: Int?
    /// How many bytes each message has beyond those that the length counts.
    public var lengthAdds: Int?
    /// The longest message that is taken, in bytes.
    public var maxMessage: Int?

    /// A format of these parts.
    public init(
        delimiter: [UInt8]? = nil,
        lengthBytes: Int? = nil,
        lengthFormat: LengthPrefix.Format? = nil,
        lengthOrder: LengthPrefix.Order? = nil,
        lengthIncludesHeader: Bool = false,
        headerBytes: Int? = nil,
        lengthAdds: Int? = nil,
        maxMessage: Int? = nil
    ) {
        self.delimiter = delimiter
        self.lengthBytes = lengthBytes
        self.lengthFormat = lengthFormat
        self.lengthOrder = lengthOrder
        self.lengthIncludesHeader = lengthIncludesHeader
        self.headerBytes = headerBytes
        self.lengthAdds = lengthAdds
        self.maxMessage = maxMessage
    }

    /// The settings that are given.
    private var given: [Setting] {
        let all: [(Setting, Bool)] = [
            (.delimiter, delimiter != nil), (.lengthBytes, lengthBytes != nil), (.lengthFormat, lengthFormat != nil),
            (.lengthOrder, lengthOrder != nil), (.lengthIncludesHeader, lengthIncludesHeader),
            (.headerBytes, headerBytes != nil), (.lengthAdds, lengthAdds != nil), (.maxMessage, maxMessage != nil),
        ]
        return all.filter(\.1).map(\.0)
    }

    /// The names of the protocols that have a setting.
    private static func protocols(with setting: Setting) -> [String] {
        let withLength = [ApplicationProtocol.iso8583, .mpu, .lengthPrefixed].map(\.name)
        return switch setting {
        case .delimiter: [ApplicationProtocol.delimited.name]
        case .maxMessage: withLength + [ApplicationProtocol.delimited, .echo, .http].map(\.name)
        default: withLength
        }
    }

    /// A protocol with these settings.
    ///
    /// - Parameter known: One of `ApplicationProtocol.all`.
    /// - Returns: The protocol as it is then spoken.
    /// - Throws: ``ConfigurationError`` when it has no such settings, or they cannot be.
    public func applied(to known: ApplicationProtocol) throws(ConfigurationError) -> ApplicationProtocol {
        for setting in given {
            let protocols = Self.protocols(with: setting)
            guard !protocols.contains(known.name) else { continue }
            throw ConfigurationError(
                """
                \(setting) is of no use to \(known.name): leave it out, or choose a protocol that has it with \
                \(.applicationProtocol) (\(protocols.joined(separator: ", ")))
                """
            )
        }
        do {
            return try configured(known)
        } catch {
            throw ConfigurationError("\(known.name) cannot be spoken like this: \(error)")
        }
    }

    private func configured(_ known: ApplicationProtocol) throws(InvalidSettings) -> ApplicationProtocol {
        switch known.name {
        case ApplicationProtocol.echo.name:
            try maxMessage.map { size throws(InvalidSettings) in try .echo(maximumLength: size) } ?? known
        case ApplicationProtocol.delimited.name:
            try .delimited(by: delimiter, maximumLength: maxMessage)
        case ApplicationProtocol.iso8583.name:
            .iso8583(prefix: try prefix(otherwise: .twoBytes))
        case ApplicationProtocol.mpu.name:
            .mpu(prefix: try prefix(otherwise: .fourDigits))
        case ApplicationProtocol.lengthPrefixed.name:
            .lengthPrefixed(prefix: try prefix(otherwise: .twoBytes))
        case ApplicationProtocol.http.name:
            try maxMessage.map { size throws(InvalidSettings) in try .http(maximumBody: size) } ?? known
        default:
            known
        }
    }

    private func prefix(otherwise usual: LengthPrefix) throws(InvalidSettings) -> LengthPrefix {
        try LengthPrefix(
            headerBytes: headerBytes ?? usual.headerBytes,
            lengthBytes: lengthBytes ?? usual.lengthBytes,
            format: lengthFormat ?? usual.format,
            order: lengthOrder ?? usual.order,
            includesHeader: lengthIncludesHeader,
            uncountedBytes: lengthAdds ?? usual.uncountedBytes,
            maximumLength: maxMessage
        )
    }
}
