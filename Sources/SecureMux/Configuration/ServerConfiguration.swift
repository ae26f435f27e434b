public import MultiplexerCore

/// What a server is to do: the devices that it shares.
///
/// One that exists fits together; `ServerConfiguration+Rules.swift` and `DeviceConfiguration+Rules.swift` say what does.
public struct ServerConfiguration: Equatable, Sendable {
    /// The devices, each of another name.
    public let devices: [DeviceConfiguration]

    /// A configuration of these devices.
    ///
    /// - Throws: ``ConfigurationError`` where two values do not fit together, or one is outside of what it may be.
    public init(devices: [DeviceConfiguration]) throws(ConfigurationError) {
        self.devices = devices
        try check()
    }

    /// No device.
    static let nothing = ServerConfiguration()

    private init() { devices = [] }

    /// A configuration of one device.
    ///
    /// - Parameters:
    ///   - device: The device that is shared.
    ///   - applicationProtocol: What the device speaks, and clients where their listener does not say otherwise.
    ///   - listeners: Where clients connect.
    ///   - profile: Which profile was applied to `multiplexer`; an error says which times are from there.
    ///   - multiplexer: Times and limits.
    /// - Throws: ``ConfigurationError`` where two values do not fit together, or one is outside of what it may be.
    public init(
        device: DeviceAddress,
        applicationProtocol: ApplicationProtocol,
        listeners: [ListenerConfiguration],
        profile: DeviceProfile? = nil,
        multiplexer: Multiplexer.Configuration = Multiplexer.Configuration()
    ) throws(ConfigurationError) {
        try self.init(
            devices: [
                DeviceConfiguration(
                    address: device,
                    applicationProtocol: applicationProtocol,
                    listeners: listeners,
                    profile: profile,
                    multiplexer: multiplexer
                )
            ]
        )
    }
}
