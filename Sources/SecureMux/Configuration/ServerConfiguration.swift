public import MultiplexerCore

/// What a server is to do: the devices that it shares.
public struct ServerConfiguration: Sendable {
    /// The devices, each of another name.
    public var devices: [DeviceConfiguration]

    /// A configuration of these devices.
    public init(devices: [DeviceConfiguration]) {
        self.devices = devices
    }

    /// A configuration of one device.
    public init(
        device: DeviceAddress,
        applicationProtocol: ApplicationProtocol,
        listeners: [ListenerConfiguration],
        multiplexer: Multiplexer.Configuration = Multiplexer.Configuration()
    ) {
        devices = [
            DeviceConfiguration(
                address: device,
                applicationProtocol: applicationProtocol,
                listeners: listeners,
                multiplexer: multiplexer
            )
        ]
    }
}
