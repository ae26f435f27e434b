import SecureMux

/// How a listener speaks TLS.
extension SettingDefinition {
    package static let tls = [
        SettingDefinition(
            .tlsListen,
            of: .commandLine,
            .listenAddress,
            """
            Where clients connect over TLS. With \(.listen), that address speaks plain TCP beside it, and both share the one \
            connection to the device.
            """,
            default: .words("none, see \(.listen)"),
            reload: .listener
        ),
        SettingDefinition(
            .tlsCertificate,
            of: .listener,
            key: "tls.certificate",
            .file,
            "The certificate chain in PEM, leaf first; Modbus/TCP Security wants the root in it too. Needs \(.tlsKey).",
            default: .words("none, only plain TCP is spoken"),
            reload: .newClients
        ),
        SettingDefinition(
            .tlsKey,
            of: .listener,
            key: "tls.key",
            .file,
            "The certificate's private key in PEM.",
            default: .words("none"),
            reload: .newClients
        ),
        SettingDefinition(
            .tlsKeyPassphraseFile,
            of: .listener,
            key: "tls.key-passphrase-file",
            .file,
            "A file whose first line is the passphrase of an encrypted \(.tlsKey).",
            default: .words("none, \(.tlsKey) is not encrypted"),
            reload: .newClients
        ),
        SettingDefinition(
            .tlsMinVersion,
            of: .listener,
            key: "tls.min-version",
            .tlsVersion,
            "The oldest TLS version that clients may use: 1.2 or 1.3.",
            default: .value("1.2"),
            reload: .newClients
        ),
        SettingDefinition(
            .clientCA,
            of: .listener,
            key: "tls.client-ca",
            .file,
            """
            The certificates, in PEM, of those who may sign client certificates. Once it is given, clients have to show one, \
            unless \(.clientCertificates) says otherwise.
            """,
            default: .words("none, no client certificate is asked for"),
            reload: .inPlace
        ),
        SettingDefinition(
            .clientCertificates,
            of: .listener,
            key: "tls.client-certificates",
            .clientCertificates,
            "Whether clients show a certificate: off, optional (verified if shown) or required.",
            default: .words("required with \(.clientCA), else off"),
            reload: .inPlace
        ),
        SettingDefinition(
            .handshakeTimeout,
            of: .listener,
            key: "tls.handshake-timeout",
            .duration,
            """
            How long a client may take from the accepted connection to the end of the TLS handshake, its certificate \
            included.
            """,
            default: .value("10s"),
            reload: .newClients
        ),
    ]
}
