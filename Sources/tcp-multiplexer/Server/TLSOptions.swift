import ArgumentParser
import SecureMux

struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Where clients connect over TLS. With --listen, that address speaks plain TCP beside it, and both share the one \
            connection to the device. (default: none, see --listen)
            """,
            valueName: "address"
        ),
        transform: ListenAddress.init(parsing:)
    )
    var tlsListen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            """
            The certificate chain in PEM, leaf first; Modbus/TCP Security wants the root in it too. Needs --tls-key. \
            (default: none, only plain TCP is spoken)
            """,
            valueName: "file"
        )
    )
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key in PEM. (default: none)", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is the passphrase of an encrypted --tls-key. (default: none, --tls-key is not encrypted)",
            valueName: "file"
        )
    )
    var tlsKeyPassphraseFile: String?

    @Option(
        help: ArgumentHelp(
            "The oldest TLS version that clients may use: 1.2 or 1.3. (default: 1.2)",
            valueName: "version"
        ),
        transform: Parse.tlsVersion
    )
    var tlsMinVersion: TLSVersion?

    @Option(
        help: ArgumentHelp(
            """
            The certificates, in PEM, of those who may sign client certificates. Once it is given, clients have to show one, \
            unless --client-certificates says otherwise. (default: none, no client certificate is asked for)
            """,
            valueName: "file"
        )
    )
    var clientCa: String?

    @Option(
        help: ArgumentHelp(
            """
            Whether clients show a certificate: off, optional (verified if shown) or required. (default: required with \
            --client-ca, else off)
            """,
            valueName: "policy"
        ),
        transform: Parse.clientCertificates
    )
    var clientCertificates: ClientCertificates?

    @Option(
        help: ArgumentHelp(
            """
            How long a client may take from the accepted connection to the end of the TLS handshake, its certificate \
            included. (default: 10s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var handshakeTimeout: Duration?

    func validate() throws {
        guard tlsCertificate != nil else {
            let others: [(String, Bool)] = [
                ("--tls-listen", tlsListen != nil), ("--tls-key", tlsKey != nil),
                ("--tls-key-passphrase-file", tlsKeyPassphraseFile != nil), ("--tls-min-version", tlsMinVersion != nil),
                ("--client-ca", clientCa != nil), ("--client-certificates", clientCertificates != nil),
                ("--handshake-timeout", handshakeTimeout != nil),
            ]
            if let given = others.first(where: \.1) {
                throw ValidationError("\(given.0) needs TLS: give --tls-certificate and --tls-key too")
            }
            return
        }
        guard tlsKey != nil else {
            throw ValidationError("--tls-certificate needs its private key: give --tls-key too")
        }
    }

    /// The passphrase of the key, from its file; nil where the key is not encrypted.
    func passphrase() throws(ConfigurationError) -> String? {
        guard let tlsKeyPassphraseFile else { return nil }
        return try Passphrase.read(tlsKeyPassphraseFile, option: "--tls-key-passphrase-file")
    }

    /// How these options want TLS to be spoken; nil for plain TCP.
    func configuration(passphrase: String?) -> TLSServerConfiguration? {
        guard let tlsCertificate, let tlsKey else { return nil }
        var configuration = TLSServerConfiguration(
            certificateChainFile: tlsCertificate,
            privateKeyFile: tlsKey,
            privateKeyPassphrase: passphrase,
            minimumVersion: tlsMinVersion ?? .v1_2,
            clientCertificates: clientCertificates ?? (clientCa == nil ? .off : .required),
            clientCAFile: clientCa
        )
        configuration.handshakeTimeout = handshakeTimeout ?? configuration.handshakeTimeout
        return configuration
    }
}
