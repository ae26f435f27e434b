public import MultiplexerCore

/// An address that clients connect to, with its own rules of who may.
public struct ListenerConfiguration: Equatable, Sendable {
    /// Where it listens.
    public var address: ListenAddress
    /// What its clients speak, with the same messages as the device's protocol; nil for what the device speaks.
    public var applicationProtocol: ApplicationProtocol?
    /// What the device calls the units that its clients ask for; for Modbus only.
    public var unitMap: UnitMap
    /// Who may come, and how much they may; the part that is replaced while it is open.
    public var rules: ListenerRules

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
        rules = ListenerRules(tls: tls, allowList: allowList, limits: limits)
    }
}

/// Who may come to a listener, and how much they may.
public struct ListenerRules: Hashable, Sendable {
    /// With what it speaks TLS; nil for plain TCP.
    public var tls: TLSServerConfiguration?
    /// The addresses that clients may have.
    public var allowList: AllowList
    /// The limits of its clients.
    public var limits: ClientLimits

    /// Rules of these parts.
    public init(
        tls: TLSServerConfiguration? = nil,
        allowList: AllowList = AllowList(),
        limits: ClientLimits = ClientLimits()
    ) {
        self.tls = tls
        self.allowList = allowList
        self.limits = limits
    }
}
