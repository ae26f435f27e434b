import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux

/// What the device needs: the defaults, then what the profile says, then what was given.
extension Serve {
    /// The times, limits and turns that the options ask for.
    var multiplexer: Multiplexer.Configuration {
        var configuration = Multiplexer.Configuration(inFlightLimit: device.maxInFlight)
        device.profile?.apply(to: &configuration)
        times.apply(to: &configuration)
        readsAndWrites.apply(to: &configuration)
        return configuration
    }

    /// Refuses times that make no sense together, whoever they are from.
    func checkTimes(for deviceProtocol: ApplicationProtocol) throws {
        let configuration = multiplexer
        let all = configuration.queueTimeout
        guard all >= configuration.responseTimeout else {
            throw ValidationError(
                """
                --queue-timeout \(all.shortText) would cut short the \(words(for: .responseTimeout, in: configuration)): give \
                a longer one, or a shorter --timeout too
                """
            )
        }
        guard configuration.minimumGap < all else {
            throw ValidationError(
                """
                the \(words(for: .minimumGap, in: configuration)) leaves no request in time: it has to be shorter than the \
                --queue-timeout of \(all.shortText)
                """
            )
        }
        let quietTime = configuration.quietTime ?? deviceProtocol.quietTime
        if !deviceProtocol.framing.carriesTransactionIDs, quietTime >= all {
            throw ValidationError(
                """
                the --quiet-time of \(quietTime.shortText) leaves no request in time behind one that was not answered: it has \
                to be shorter than the --queue-timeout of \(all.shortText)
                """
            )
        }
        let pause = configuration.settleTime + configuration.delayAfterConnect + configuration.minimumGap
        guard pause < all else {
            throw ValidationError(
                """
                --settle, --delay and --gap, \(pause.shortText) together, leave no request in time behind a new connection: \
                they have to be shorter than the --queue-timeout of \(all.shortText)
                """
            )
        }
        // Renewal begins with the last quarter of the lifetime.
        if let lifetime = configuration.maximumAge, lifetime < configuration.delayAfterConnect * 2 + .seconds(1) {
            throw ValidationError(
                """
                the \(words(for: .maximumAge, in: configuration)) leaves no time for requests: it has to be at least 1s longer \
                than twice the \(words(for: .delayAfterConnect, in: configuration))
                """
            )
        }
    }

    /// What the profile leads to, for the log; nil without one.
    var profileInForce: Logger.Metadata? {
        guard let profile = device.profile else { return nil }
        let configuration = multiplexer
        let settings = profile.settings.map { setting in
            let option = times.option(for: setting.time)
            return "\(option.name) \(text(of: setting.time, in: configuration))" + (option.isGiven ? " (given)" : "")
        }
        return [
            "profile": "\(profile.name)",
            "settings": settings.isEmpty ? "the defaults" : "\(settings.joined(separator: ", "))",
        ]
    }

    /// "--gap of 50ms", and whose it is where the user did not say it.
    private func words(for time: DeviceProfile.Time, in configuration: Multiplexer.Configuration) -> String {
        let option = times.option(for: time)
        let isOfProfile = !option.isGiven && device.profile?.settings.contains { $0.time == time } == true
        return "\(option.name) of \(text(of: time, in: configuration))" + (isOfProfile ? " (from the profile)" : "")
    }

    private func text(of time: DeviceProfile.Time, in configuration: Multiplexer.Configuration) -> String {
        configuration[time]?.shortText ?? "off"
    }
}
