/// What a reload has changed, and what it has left alone.
public struct ReloadOutcome: Hashable, Sendable {
    /// What was changed of a device whose connection stayed.
    public struct Change: Hashable, Sendable {
        /// The device's name.
        public let device: String
        /// Whether other times and limits of the device hold.
        public let times: Bool
        /// Where its listeners were opened.
        public let addedListeners: [ListenAddress]
        /// Where other rules hold; files that were read anew count.
        public let replacedRules: [ListenAddress]
        /// Where another listener was given the old one's socket, since its clients are to speak otherwise.
        public let replacedListeners: [ListenAddress]
        /// Where its listeners were closed, or went to another device.
        public let removedListeners: [ListenAddress]
        /// Where its listeners were not touched.
        public let untouchedListeners: [ListenAddress]
    }

    /// The names of devices that were not there before.
    public internal(set) var added: [String] = []
    /// What was changed of devices whose connection stayed.
    public internal(set) var changed: [Change] = []
    /// The names of devices that have another address or protocol, and so another connection.
    public internal(set) var replaced: [String] = []
    /// The names of devices that are shared no more.
    public internal(set) var removed: [String] = []
    /// The names of devices that were not touched, and none of their listeners.
    public internal(set) var untouched: [String] = []

    /// Whether everything is as it was.
    public var isEmpty: Bool { added.isEmpty && changed.isEmpty && replaced.isEmpty && removed.isEmpty }
}

extension ReloadOutcome: CustomStringConvertible {
    /// One line, such as "added wallbox; changed inverter (times; rules of 0.0.0.0:5020); left alone heatpump".
    public var description: String {
        guard !isEmpty else { return "nothing changed" }
        let changes = changed.map(\.description)
        return [
            ("added", added), ("changed", changes), ("replaced", replaced), ("removed", removed),
            ("left alone", untouched),
        ]
        .filter { !$0.1.isEmpty }
        .map { "\($0.0) \($0.1.joined(separator: ", "))" }
        .joined(separator: "; ")
    }
}

extension ReloadOutcome.Change: CustomStringConvertible {
    /// The device's name and what was changed, such as "inverter (times; rules of 0.0.0.0:5020)".
    public var description: String {
        let listeners = [
            ("added listener", addedListeners), ("rules of", replacedRules), ("replaced listener", replacedListeners),
            ("removed listener", removedListeners),
        ]
        let parts = listeners.filter { !$0.1.isEmpty }.map { words, addresses in
            "\(words) \(addresses.map(\.description).joined(separator: ", "))"
        }
        return "\(device) (\(((times ? ["times"] : []) + parts).joined(separator: "; ")))"
    }
}

extension ReloadOutcome {
    /// What this plan does to the listeners that were at these addresses.
    init(_ plan: ReloadPlan, from old: ServerConfiguration) {
        func address(_ place: ReloadPlan.Place) -> ListenAddress {
            old.devices[place.device].listeners[place.listener].address
        }
        let taken = plan.devices.flatMap { device in
            device.listeners.compactMap { listener in listener.old.map { (place: $0, by: device.old) } }
        }
        for device in plan.devices {
            func addresses(_ step: ReloadPlan.ListenerStep) -> [ListenAddress] {
                device.listeners.filter { $0.step == step }.map(\.address)
            }
            let gone = plan.removedListeners + taken.filter { $0.place.device != $0.by }.map(\.place)
            let removed = gone.filter { $0.device == device.old }.map(address)
            switch device.step {
            case .added: added.append(device.name)
            case .replaced: replaced.append(device.name)
            case .leftAlone where removed.isEmpty && device.listeners.allSatisfy { $0.step == .leftAlone }:
                untouched.append(device.name)
            case .leftAlone, .times:
                changed.append(
                    Change(
                        device: device.name,
                        times: device.step == .times,
                        addedListeners: addresses(.added),
                        replacedRules: addresses(.rules),
                        replacedListeners: addresses(.replaced),
                        removedListeners: removed,
                        untouchedListeners: addresses(.leftAlone)
                    )
                )
            }
        }
        removed = plan.removedDevices.map { old.devices[$0].name }
    }
}
