import MultiplexerCore

extension DeviceConfiguration {
    /// What has to hold between the parts of one device.
    func check(_ problems: inout ConfigurationProblems) {
        for (index, listener) in listeners.enumerated() {
            problems.listener = index
            problems.check(try checkProtocol(of: listener))
            problems.check(try checkUnitMap(of: listener))
            listener.rules.check(&problems)
        }
        problems.listener = nil
        multiplexer.check(&problems)
        multiplexer.check(for: applicationProtocol, &problems)
        problems.check(try checkProfile())
        multiplexer.checkTimes(for: applicationProtocol, profile, &problems)
    }

    private func checkProfile() throws(ConfigurationError) {
        guard let profile, applicationProtocol.messages != .modbus else { return }
        throw ConfigurationError(
            """
            \(.deviceProfile, profile.name) is for a device that speaks Modbus, not \(applicationProtocol.name): add \
            \(.applicationProtocol, "modbus")
            """
        )
    }

    private func checkProtocol(of listener: ListenerConfiguration) throws(ConfigurationError) {
        let clients = listener.applicationProtocol ?? applicationProtocol
        guard clients.translated(to: applicationProtocol) != nil else {
            throw ConfigurationError(
                """
                \(.deviceProtocol, applicationProtocol.name): what clients say with \(.clientProtocol, clients.name) \
                cannot be said in it; modbus, \
                modbus-serial and modbus-rtu can stand for each other
                """
            )
        }
    }

    private func checkUnitMap(of listener: ListenerConfiguration) throws(ConfigurationError) {
        let map = listener.unitMap
        guard map != UnitMap() else { return }
        try (listener.applicationProtocol ?? applicationProtocol).requireModbus(for: "\(.unitMap)")
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
        var problems = ConfigurationProblems()
        check(&problems)
        if let first = problems.all.first { throw first.error }
    }

    func check(_ problems: inout ConfigurationProblems) {
        limits.check(&problems)
        tls?.check(&problems)
    }
}
