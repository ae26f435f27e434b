extension ServerConfiguration {
    /// Refuses what does not fit together: for users of the library, for options and for files alike.
    func check() throws(ConfigurationError) {
        for device in devices {
            var problems = ConfigurationProblems()
            device.check(&problems)
            guard let first = problems.all.first else { continue }
            throw devices.count > 1 ? ConfigurationError("device \(device.name): \(first.error)") : first.error
        }
        if let first = Self.problems(with: devices).first { throw first.error }
    }

    /// All that does not fit together; a configuration of devices with no problem can be made.
    package static func problems(with devices: [DeviceConfiguration]) -> [ConfigurationProblem] {
        var problems = ConfigurationProblems()
        for (index, device) in devices.enumerated() {
            problems.device = index
            device.check(&problems)
        }
        for (index, device) in devices.enumerated() {
            (problems.device, problems.listener) = (index, nil)
            problems.check(try device.checkName(beside: devices[..<index]))
            problems.check(try device.checkTarget(beside: devices[..<index]))
            problems.check(try device.checkIsNoListener(of: devices))
        }
        checkAddresses(of: devices, &problems)
        return problems.all
    }

    /// Refuses two listeners where one can be.
    private static func checkAddresses(of devices: [DeviceConfiguration], _ problems: inout ConfigurationProblems) {
        var earlier: [(device: Int, listener: ListenerConfiguration)] = []
        for (number, device) in devices.enumerated() {
            for (index, listener) in device.listeners.enumerated() {
                (problems.device, problems.listener) = (number, index)
                // Port 0 is another one each time.
                let same = earlier.first { $0.listener.address == listener.address && listener.address.port != 0 }
                if let same {
                    let others = same.device == number ? "both of" : "one of \(devices[same.device].name), one of"
                    problems.refuse(
                        """
                        two listeners have the address \(listener.address), \(others) \(device.name): give each its own, \
                        plain TCP and TLS too
                        """
                    )
                }
                earlier.append((number, listener))
            }
        }
    }
}

extension DeviceConfiguration {
    fileprivate func checkName(beside others: ArraySlice<DeviceConfiguration>) throws(ConfigurationError) {
        guard others.contains(where: { $0.name == name }) else { return }
        throw ConfigurationError("two devices are called \(name): give each a name of its own")
    }

    /// A device gets one connection, promised to whoever counts on it.
    fileprivate func checkTarget(beside others: ArraySlice<DeviceConfiguration>) throws(ConfigurationError) {
        guard let same = others.first(where: { $0.address == address }) else { return }
        throw ConfigurationError(
            """
            the devices \(same.name) and \(name) have the address \(address) in \(.device): make them one, since a device \
            gets one connection
            """
        )
    }

    /// Of all devices: one that is reached through a listener of the same server would share itself.
    fileprivate func checkIsNoListener(of devices: [DeviceConfiguration]) throws(ConfigurationError) {
        let listeners = devices.lazy.flatMap(\.listeners)
        guard let listener = listeners.first(where: { $0.address.isReached(by: address) }) else { return }
        throw ConfigurationError(
            """
            the device \(address) is where clients are to connect (\(listener.address)): give \(.device) the device's own \
            address
            """
        )
    }
}
