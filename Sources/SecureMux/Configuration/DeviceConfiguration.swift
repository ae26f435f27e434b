public import MultiplexerCore

/// A device that is shared, and the listeners through which clients share it.
public struct DeviceConfiguration: Equatable, Sendable {
    /// What the log calls it, and what tells it from the other devices of a server.
    public var name: String
    /// Where it is.
    public var address: DeviceAddress
    /// Where our connections to it come from; nil for where the system chooses.
    public var source: SourceAddress?
    /// What it speaks, and clients where their listener does not say otherwise.
    public var applicationProtocol: ApplicationProtocol
    /// Where its clients connect.
    public var listeners: [ListenerConfiguration]
    /// The profile that some of its times are from; nil for none.
    public var profile: DeviceProfile?
    /// Times and limits.
    public var multiplexer: Multiplexer.Configuration

    /// Whether somebody has given it a name, and it is not called by its address.
    var isNamed: Bool { name != address.description }

    /// A device of these parts, called by its address if it has no name.
    ///
    /// Whether its wire carries transaction ids is taken from the protocol.
    public init(
        name: String? = nil,
        address: DeviceAddress,
        source: SourceAddress? = nil,
        applicationProtocol: ApplicationProtocol,
        listeners: [ListenerConfiguration],
        profile: DeviceProfile? = nil,
        multiplexer: Multiplexer.Configuration = Multiplexer.Configuration()
    ) {
        self.name = name ?? address.description
        self.address = address
        self.source = source
        self.applicationProtocol = applicationProtocol
        self.listeners = listeners
        self.profile = profile
        self.multiplexer = multiplexer
    }
}
