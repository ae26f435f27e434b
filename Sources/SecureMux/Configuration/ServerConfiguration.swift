public import MultiplexerCore

/// What a server is to do: one device, and the listeners through which clients share it.
public struct ServerConfiguration: Sendable {
    /// The device that is shared.
    public var device: DeviceAddress
    /// What the device speaks, and clients where their listener does not say otherwise.
    public var applicationProtocol: ApplicationProtocol
    /// Where clients connect.
    public var listeners: [ListenerConfiguration]
    /// Times and limits.
    public var multiplexer: Multiplexer.Configuration

    /// A configuration of these parts; whether its wire carries transaction ids is taken from the protocol.
    public init(
        device: DeviceAddress,
        applicationProtocol: ApplicationProtocol,
        listeners: [ListenerConfiguration],
        multiplexer: Multiplexer.Configuration = Multiplexer.Configuration()
    ) {
        self.device = device
        self.applicationProtocol = applicationProtocol
        self.listeners = listeners
        self.multiplexer = multiplexer
    }
}

/// An address that clients connect to, with its own rules of who may.
public struct ListenerConfiguration: Sendable {
    /// Where it listens.
    public var address: ListenAddress
    /// What its clients speak, with the same messages as the device's protocol; nil for what the device speaks.
    public var applicationProtocol: ApplicationProtocol?
    /// What the device calls the units that its clients ask for; for Modbus only.
    public var unitMap: UnitMap
    /// With what it speaks TLS; nil for plain TCP.
    public var tls: TLSServerConfiguration?
    /// The addresses that clients may have.
    public var allowList: AllowList
    /// How much it puts up with from its clients.
    public var limits: ClientLimits

    /// A listener of these parts.
    public init(
        address: ListenAddress,
        applicationProtocol: ApplicationProtocol? = nil,
        unitMap: UnitMap = UnitMap(),
        tls: TLSServerConfiguration? = nil,
        allowList: AllowList = AllowList(),
        limits: ClientLimits = ClientLimits()
    ) {
        self.address = address
        self.applicationProtocol = applicationProtocol
        self.unitMap = unitMap
        self.tls = tls
        self.allowList = allowList
        self.limits = limits
    }
}
