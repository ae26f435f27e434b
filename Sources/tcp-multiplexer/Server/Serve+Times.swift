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

    /// What the profile leads to, for the log; nil without one.
    var profileInForce: Logger.Metadata? {
        guard let profile = device.profile else { return nil }
        let configuration = multiplexer
        let settings = profile.settings.map { setting in
            let value = configuration[setting.time]?.shortText ?? "off"
            return setting.time.setting.option(with: .text(value)) + (times.isGiven(setting.time) ? " (given)" : "")
        }
        return [
            "profile": "\(profile.name)",
            "settings": settings.isEmpty ? "the defaults" : "\(settings.joined(separator: ", "))",
        ]
    }
}
