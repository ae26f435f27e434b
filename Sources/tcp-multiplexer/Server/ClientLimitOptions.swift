import ArgumentParser
import SecureMux
import ServerSettings

/// The limits that each listener sets its clients.
struct ClientLimitOptions: ParsableArguments {
    @Option(help: .setting(.maxClients), transform: Setting.maxClients.checked)
    var maxClients: String?

    @Option(help: .setting(.maxClientsPerAddress), transform: Setting.maxClientsPerAddress.checked)
    var maxClientsPerAddress: String?

    @Option(help: .setting(.clientIdleTimeout), transform: Setting.clientIdleTimeout.checked)
    var clientIdleTimeout: String?

    @Option(help: .setting(.clientRequestTimeout), transform: Setting.clientRequestTimeout.checked)
    var clientRequestTimeout: String?

    @Option(help: .setting(.clientWriteTimeout), transform: Setting.clientWriteTimeout.checked)
    var clientWriteTimeout: String?

    @Option(help: .setting(.messageMemory), transform: Setting.messageMemory.checked)
    var messageMemory: String?

    /// Writes down what was given.
    func write(to written: inout WrittenSettings) {
        written[.maxClients] = maxClients
        written[.maxClientsPerAddress] = maxClientsPerAddress
        written[.clientIdleTimeout] = clientIdleTimeout
        written[.clientRequestTimeout] = clientRequestTimeout
        written[.clientWriteTimeout] = clientWriteTimeout
        written[.messageMemory] = messageMemory
    }
}
