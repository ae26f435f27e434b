import MultiplexerCore

/// A listener that is about to be opened, or whose rules are about to be replaced: what it is told fits together, and its TLS
/// files have been read.
struct PreparedListener: Sendable {
    let configuration: ListenerConfiguration
    /// What its clients speak, as far as the device can be asked it.
    let applicationProtocol: ApplicationProtocol
    let tls: TLSContext?
    /// How many clients it takes, which may be fewer than configured.
    var clients: Int

    /// Reads the listener's TLS files, which may take a while.
    init(_ configuration: ListenerConfiguration, for deviceProtocol: ApplicationProtocol) throws(ServerError) {
        let spoken = configuration.applicationProtocol ?? deviceProtocol
        guard let translated = spoken.translated(to: deviceProtocol, unitMap: configuration.unitMap) else {
            throw ServerError("clients of \(spoken.name) cannot be given a device that speaks \(deviceProtocol.name)")
        }
        self.configuration = configuration
        applicationProtocol = translated
        clients = configuration.rules.limits.clients
        do {
            tls = try configuration.rules.tls.map { try TLSContext(server: $0) }
        } catch {
            throw ServerError("\(error)")
        }
    }

    /// The limits of its clients.
    var limits: ClientLimits {
        var limits = configuration.rules.limits
        limits.clients = clients
        return limits
    }
}
