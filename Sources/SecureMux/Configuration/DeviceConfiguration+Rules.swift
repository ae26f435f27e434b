import MultiplexerCore

extension DeviceConfiguration {
    /// What has to hold between the parts of one device.
    func check() throws(ConfigurationError) {
        for listener in listeners { try check(listener) }
        try multiplexer.check()
        try multiplexer.check(for: applicationProtocol)
        if let profile, applicationProtocol.messages != .modbus {
            throw ConfigurationError(
                """
                \(.deviceProfile, profile.name) is for a device that speaks Modbus, not \(applicationProtocol.name): add \
                \(.applicationProtocol, "modbus")
                """
            )
        }
        try multiplexer.checkTimes(for: applicationProtocol, profile)
    }

    private func check(_ listener: ListenerConfiguration) throws(ConfigurationError) {
        let clients = listener.applicationProtocol ?? applicationProtocol
        guard clients.translated(to: applicationProtocol) != nil else {
            throw ConfigurationError(
                """
                \(.deviceProtocol, applicationProtocol.name): what clients say in \(clients.name) cannot be said in it; modbus, \
                modbus-serial and modbus-rtu can stand for each other
                """
            )
        }
        if listener.unitMap != UnitMap() { try check(listener.unitMap, clients) }
        try listener.rules.check()
    }

    private func check(_ map: UnitMap, _ clients: ApplicationProtocol) throws(ConfigurationError) {
        try clients.requireModbus(for: "\(.unitMap)")
        // Whoever maps a unit to 0 wants answers from there.
        guard applicationProtocol.broadcastsUnit0, let unit = map.clientUnits(leadingTo: 0).first else { return }
        throw ConfigurationError(
            """
            \(.unitMap, "\(unit)=0"): a device that speaks \(applicationProtocol.name) takes unit 0 for a broadcast and answers \
            nothing; add \(.broadcast, false) if yours does answer
            """
        )
    }
}

extension ListenerRules {
    /// What has to hold for those that may come.
    func check() throws(ConfigurationError) {
        try limits.check()
        try tls?.check()
    }
}
