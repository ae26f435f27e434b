import MultiplexerCore

/// What is to be done to make one configuration another, and what is not touched: a decision, and nothing else.
///
/// Devices are the same where their names are, listeners where their addresses are; their order means nothing.
struct ReloadPlan: Equatable {
    /// What becomes of a device of the new configuration.
    enum DeviceStep: Equatable {
        case leftAlone
        /// Its connection stays, and other times and limits hold.
        case times
        /// The old one goes, since another address or protocol needs another connection.
        case replaced
        case added
    }

    /// What becomes of a listener of the new configuration.
    enum ListenerStep: Equatable {
        case leftAlone
        /// It stays, with its clients, and other rules hold.
        case rules
        /// The old one goes, and its socket is handed over.
        case replaced
        case added
    }

    /// A listener of the old configuration.
    struct Place: Hashable {
        /// Which of the devices, and which of its listeners.
        var device: Int
        var listener: Int
    }

    struct Listener: Equatable {
        let address: ListenAddress
        var step: ListenerStep
        /// The old one at this address.
        var old: Place?
    }

    struct Device: Equatable {
        let name: String
        var step: DeviceStep
        /// Which of the old ones had this name.
        var old: Int?
        /// In the order of the new configuration.
        var listeners: [Listener]

        /// Whether the device goes on with its connection.
        var isKept: Bool { step == .leftAlone || step == .times }
    }

    /// In the order of the new configuration.
    var devices: [Device] = []
    /// Devices of the old one that nobody wants any more.
    var removedDevices: [Int] = []
    /// Listeners of the old one whose address nobody wants any more.
    var removedListeners: [Place] = []

    /// The way from one configuration to another, as far as their text tells.
    init(from old: ServerConfiguration, to new: ServerConfiguration) {
        var addresses = Addresses(old)
        // Whoever stays with its device first: of equal addresses, which have port 0, the others are any.
        let stay = new.devices.map { device in
            let index = old.devices.firstIndex { $0.name == device.name }
            return device.listeners.map { listener in index.flatMap { addresses.take(listener.address, of: $0) } }
        }
        for (index, device) in new.devices.enumerated() {
            let oldIndex = old.devices.firstIndex { $0.name == device.name }
            let step = Self.step(from: oldIndex.map { old.devices[$0] }, to: device)
            let isKept = step == .leftAlone || step == .times
            let listeners = device.listeners.enumerated().map { number, listener in
                // A port that the system chooses is another one each time.
                guard
                    let place = stay[index][number]
                        ?? (listener.address.port == 0 ? nil : addresses.take(listener.address))
                else {
                    return Listener(address: listener.address, step: .added)
                }
                let before = old.devices[place.device]
                let step =
                    isKept && place.device == oldIndex
                    ? Self.step(from: before.listeners[place.listener], of: before, to: listener, of: device)
                    : ListenerStep.replaced
                return Listener(address: listener.address, step: step, old: place)
            }
            devices.append(Device(name: device.name, step: step, old: oldIndex, listeners: listeners))
        }
        removedDevices = old.devices.indices.filter { index in
            !new.devices.contains { $0.name == old.devices[index].name }
        }
        removedListeners = addresses.left
    }

    private static func step(from old: DeviceConfiguration?, to new: DeviceConfiguration) -> DeviceStep {
        guard let old else { return .added }
        guard old.address == new.address, old.source == new.source, old.applicationProtocol == new.applicationProtocol
        else { return .replaced }
        var (before, after) = (old.multiplexer, new.multiplexer)
        // That is as the wire is.
        (before.carriesTransactionIDs, after.carriesTransactionIDs) = (true, true)
        return before == after ? .leftAlone : .times
    }

    private static func step(
        from old: ListenerConfiguration,
        of oldDevice: DeviceConfiguration,
        to new: ListenerConfiguration,
        of newDevice: DeviceConfiguration
    ) -> ListenerStep {
        let before = old.applicationProtocol ?? oldDevice.applicationProtocol
        let after = new.applicationProtocol ?? newDevice.applicationProtocol
        guard before == after, old.unitMap == new.unitMap, (old.rules.tls == nil) == (new.rules.tls == nil) else {
            return .replaced
        }
        return old.rules == new.rules ? .leftAlone : .rules
    }

    /// The addresses of a configuration, each taken once.
    private struct Addresses {
        private var places: [(address: ListenAddress, place: Place)] = []

        init(_ configuration: ServerConfiguration) {
            for (device, shared) in configuration.devices.enumerated() {
                for (listener, configuration) in shared.listeners.enumerated() {
                    places.append((configuration.address, Place(device: device, listener: listener)))
                }
            }
        }

        var left: [Place] { places.map(\.place) }

        mutating func take(_ address: ListenAddress, of device: Int? = nil) -> Place? {
            let index = places.firstIndex { $0.address == address && $0.place.device == device ?? $0.place.device }
            return index.map { places.remove(at: $0).place }
        }
    }
}
