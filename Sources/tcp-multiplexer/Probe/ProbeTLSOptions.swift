import ArgumentParser
import SecureMux
import ServerSettings

struct ProbeTLSOptions: ParsableArguments {
    @Flag(help: "Speak TLS; needs --ca. (default: plain TCP)")
    var tls = false

    @Option(
        help: ArgumentHelp(
            "The certificates, in PEM, of those who may sign the other side's certificate; needs --tls. (default: none)",
            valueName: "file"
        )
    )
    var ca: String?

    @Option(
        help: ArgumentHelp(
            "The certificate to show, in PEM, leaf first; needs --key. (default: none is shown)",
            valueName: "file"
        )
    )
    var certificate: String?

    @Option(help: ArgumentHelp("The private key of --certificate in PEM. (default: none)", valueName: "file"))
    var key: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is the passphrase of an encrypted --key. (default: none, --key is not encrypted)",
            valueName: "file"
        )
    )
    var keyPassphraseFile: String?

    @Option(
        help: ArgumentHelp(
            "The name or address that the other side's certificate has to be for. (default: the host that is asked)",
            valueName: "name"
        )
    )
    var serverName: String?

    func validate() throws {
        guard tls else {
            let others = [
                ("--ca", ca), ("--certificate", certificate), ("--key", key),
                ("--key-passphrase-file", keyPassphraseFile), ("--server-name", serverName),
            ]
            if let given = others.first(where: { $0.1 != nil }) {
                throw ValidationError("\(given.0) needs TLS: give --tls too")
            }
            return
        }
        guard ca != nil else {
            throw ValidationError("--tls needs --ca, the certificates to verify the other side with")
        }
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--certificate and --key are only of use together")
        }
        guard keyPassphraseFile == nil || key != nil else {
            throw ValidationError("--key-passphrase-file needs --key")
        }
    }

    /// With what to speak TLS; nil for plain TCP.
    func context(for address: DeviceAddress, timeout: Duration) throws(ProbeFailure) -> TLSContext? {
        guard tls, let ca else { return nil }
        do {
            let configuration = TLSClientConfiguration(
                caFile: ca,
                // The zone of an address is of this machine, no certificate has it.
                serverName: serverName ?? String(address.host.prefix { $0 != "%" }),
                certificateChainFile: certificate,
                privateKeyFile: key,
                privateKeyPassphrase: try keyPassphraseFile.map {
                    try Passphrase.read($0, for: .keyPassphraseFile)
                },
                handshakeTimeout: timeout
            )
            return try TLSContext(client: configuration)
        } catch {
            throw ProbeFailure(.tls, error.namingOptions)
        }
    }
}
