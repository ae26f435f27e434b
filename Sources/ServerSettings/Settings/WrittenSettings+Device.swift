package import MultiplexerCore
package import SecureMux

/// What a device needs: the defaults, then what the profile says, then what was written.
extension WrittenSettings {
    /// The times, limits and turns that were written.
    package func multiplexer() throws(ConfigurationError) -> Multiplexer.Configuration {
        let defaults = Multiplexer.Configuration()
        var configuration = Multiplexer.Configuration(inFlightLimit: try count(.maxInFlight) ?? defaults.inFlightLimit)
        try profile()?.apply(to: &configuration)
        try setTimes(of: &configuration)
        configuration.sharesReads = try isOn(.coalesce) ?? defaults.sharesReads
        configuration.maximumResponseAge = try duration(.maxAge)
        configuration.sendsWritesFirst = try isOn(.writePriority) ?? defaults.sendsWritesFirst
        return configuration
    }

    /// The profile that was named.
    package func profile() throws(ConfigurationError) -> DeviceProfile? {
        try value(.deviceProfile, Parse.deviceProfile)
    }

    /// Sets what was written, and what follows from it.
    private func setTimes(of configuration: inout Multiplexer.Configuration) throws(ConfigurationError) {
        let defaults = Multiplexer.Configuration()
        configuration.connectTimeout = try duration(.connectTimeout) ?? configuration.connectTimeout
        configuration.delayAfterConnect = try duration(.delay) ?? configuration.delayAfterConnect
        configuration.responseTimeout = try duration(.timeout) ?? configuration.responseTimeout
        // A request always has the time that the device may take.
        configuration.queueTimeout =
            try duration(.queueTimeout) ?? max(defaults.queueTimeout, configuration.responseTimeout)
        configuration.minimumGap = try duration(.gap) ?? configuration.minimumGap
        configuration.broadcastDelay = try duration(.broadcastDelay) ?? configuration.broadcastDelay
        if let idleClose = try limit(.idleClose) { configuration.idleClose = idleClose.duration }
        if let lifetime = try limit(.connectionLifetime) { configuration.connectionLifetime = lifetime.duration }
        configuration.settleTime = try duration(.settle) ?? configuration.settleTime
        configuration.quietTime = try duration(.quietTime) ?? configuration.quietTime
        configuration.linger = try duration(.linger) ?? configuration.linger
        let maximum = try duration(.retryDelayMax)
        let initial = try duration(.retryDelay) ?? min(defaults.backoff.initial, maximum ?? defaults.backoff.initial)
        configuration.backoff = Backoff(initial: initial, maximum: defaults.backoff.maximum)
        // Not raised to the first wait: that the two contradict each other is to be said.
        if let maximum { configuration.backoff.maximum = maximum }
        configuration.drainTimeout = try duration(.drainTimeout) ?? configuration.drainTimeout
    }
}

extension DeviceProfile {
    /// The profile with those of its times alone that were not written beside it.
    package func profile(without written: WrittenSettings) -> DeviceProfile {
        DeviceProfile(name: name, summary: summary, settings: settings.filter { !written.has($0.time.setting) })
    }
}
