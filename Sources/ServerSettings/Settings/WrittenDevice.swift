import MultiplexerCore
package import SecureMux

/// A device and its listeners, as somebody wrote them.
package struct WrittenDevice: Hashable, Sendable {
    /// What it is called; nil for its address.
    package var name: String?
    package var settings: WrittenSettings
    package var listeners: [WrittenSettings]

    /// A device of these parts.
    package init(name: String? = nil, settings: WrittenSettings, listeners: [WrittenSettings]) {
        (self.name, self.settings, self.listeners) = (name, settings, listeners)
    }
}

extension WrittenDevice {
    /// What was written, put together.
    ///
    /// - Parameters:
    ///   - readsSecrets: Whether files with passphrases are read.
    ///   - refuse: Is told all that cannot be, and of which listener.
    /// - Returns: The device; nil if it cannot be. Where something was refused, it is not what was meant.
    package func configuration(
        readsSecrets: Bool,
        refuse: (_ listener: Int?, ConfigurationError) -> Void
    ) -> DeviceConfiguration? {
        func attempt<Value>(
            _ part: @autoclosure () throws(ConfigurationError) -> Value,
            of listener: Int? = nil
        ) -> Value? {
            do {
                return try part()
            } catch {
                refuse(listener, error)
                return nil
            }
        }
        let source = attempt(
            try settings.value(.source) { text throws(ConfigurationError) in try SourceAddress(parsing: text) }
        )
        let (target, spoken) = (attempt(try target()), attempt(try settings.deviceProtocol()))
        let (profile, times) = (attempt(try settings.profile()), attempt(try settings.multiplexer()))
        var configurations: [ListenerConfiguration] = []
        for (index, listener) in listeners.enumerated() {
            let address = attempt(try listener.listenAddress(), of: index)
            // What is wrong with the device's own has been said.
            let clients = spoken == nil ? nil : attempt(try settings.clientProtocol(of: listener), of: index)
            let units = attempt(try listener.unitMap(for: clients), of: index)
            let tls = attempt(try listener.tls(readsSecrets: readsSecrets), of: index)
            let allowList = attempt(try listener.allowList(), of: index)
            let limits = attempt(try listener.limits(), of: index)
            configurations.append(
                ListenerConfiguration(
                    address: address ?? Self.usualListenAddress,
                    applicationProtocol: clients,
                    unitMap: units ?? UnitMap(),
                    tls: tls ?? nil,
                    allowList: allowList ?? AllowList(),
                    limits: limits ?? ClientLimits()
                )
            )
        }
        guard let target, let spoken, let times else { return nil }
        return DeviceConfiguration(
            name: name,
            address: target,
            source: source ?? nil,
            applicationProtocol: spoken,
            listeners: configurations,
            profile: profile??.profile(without: settings),
            multiplexer: times
        )
    }

    /// What was written, put together.
    ///
    /// - Throws: ``ConfigurationError`` for the first thing that cannot be.
    package func configuration(readsSecrets: Bool) throws(ConfigurationError) -> DeviceConfiguration {
        var first: ConfigurationError?
        let configuration = configuration(readsSecrets: readsSecrets) { first = first ?? $1 }
        if let first { throw first }
        guard let configuration else { throw ConfigurationError("the device cannot be set up") }
        return configuration
    }

    /// Where the device is; the Go program's default when it is not written.
    package func target() throws(ConfigurationError) -> DeviceAddress {
        try settings.value(.device) { text throws(ConfigurationError) in try DeviceAddress(parsing: text) }
            ?? DeviceAddress(checked: "127.0.0.1", port: 1234)
    }

    /// The Go program's.
    fileprivate static let usualListenAddress = ListenAddress(checked: nil, port: 8000)
}

extension WrittenSettings {
    /// Where a listener listens; the Go program's default when it is not written.
    fileprivate func listenAddress() throws(ConfigurationError) -> ListenAddress {
        try value(.listen) { text throws(ConfigurationError) in try ListenAddress(parsing: text) }
            ?? WrittenDevice.usualListenAddress
    }
}
