extension ServerConfiguration {
    /// What has to hold between the parts: for users of the library, for options and for files alike.
    func check() throws(ConfigurationError) {
        for device in devices {
            do {
                try device.check()
            } catch {
                throw devices.count > 1 ? ConfigurationError("device \(device.name): \(error)") : error
            }
        }
        try checkNames()
        try checkTargets()
        try checkAddresses()
    }

    private func checkNames() throws(ConfigurationError) {
        for (index, device) in devices.enumerated() where devices[..<index].contains(where: { $0.name == device.name })
        {
            throw ConfigurationError("two devices are called \(device.name): give each a name of its own")
        }
    }

    /// A device gets one connection, promised to whoever counts on it.
    private func checkTargets() throws(ConfigurationError) {
        for (index, device) in devices.enumerated() {
            guard let same = devices[..<index].first(where: { $0.address == device.address }) else { continue }
            throw ConfigurationError(
                "the devices \(same.name) and \(device.name) have the address \(device.address): make them one, since a "
                    + "device gets one connection"
            )
        }
    }

    /// Of all devices: one that is reached through a listener of the same server would share itself.
    private func checkAddresses() throws(ConfigurationError) {
        let listeners = devices.flatMap(\.listeners)
        for device in devices {
            guard let listener = listeners.first(where: { $0.address.isReached(by: device.address) }) else { continue }
            throw ConfigurationError(
                """
                the device \(device.address) is where clients are to connect (\(listener.address)): give \(.device) the \
                device's own address
                """
            )
        }
        for (index, listener) in listeners.enumerated() {
            // Port 0 is another one each time.
            let same = listeners[..<index].first { $0.address == listener.address && $0.address.port != 0 }
            guard let same else { continue }
            guard devices.count == 1, (same.rules.tls == nil) != (listener.rules.tls == nil) else {
                throw ConfigurationError("two listeners have the address \(listener.address): give each its own")
            }
            throw ConfigurationError(
                """
                \(.listen) and \(.tlsListen) are both \(listener.address): give plain TCP and TLS an address each, or leave \
                \(.listen) out for TLS alone
                """
            )
        }
    }
}
