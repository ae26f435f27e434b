package import MultiplexerCore
package import SecureMux

/// Who may come to a listener, and how much.
extension WrittenSettings {
    /// The addresses that clients may have.
    package func allowList() throws(ConfigurationError) -> AllowList {
        AllowList(try blocks(.allow), denied: try blocks(.deny))
    }

    private func blocks(_ setting: Setting) throws(ConfigurationError) -> [CIDRBlock] {
        try self[all: setting].map { text throws(ConfigurationError) in try CIDRBlock(parsing: text) }
    }

    /// The limits that were written.
    package func limits() throws(ConfigurationError) -> ClientLimits {
        let defaults = ClientLimits()
        return ClientLimits(
            clients: try count(.maxClients) ?? defaults.clients,
            clientsPerAddress: try count(.maxClientsPerAddress),
            idleTimeout: try limit(.clientIdleTimeout)?.duration,
            requestTimeout: try duration(.clientRequestTimeout) ?? defaults.requestTimeout,
            writeTimeout: try duration(.clientWriteTimeout) ?? defaults.writeTimeout,
            messageMemory: try size(.messageMemory) ?? defaults.messageMemory
        )
    }

    /// How TLS is to be spoken; nil for plain TCP.
    ///
    /// - Parameter readsSecrets: Whether the file with the passphrase is read.
    /// - Returns: The configuration, of which no other file has been read.
    /// - Throws: ``ConfigurationError`` where a part is missing, or the passphrase cannot be read.
    package func tls(readsSecrets: Bool) throws(ConfigurationError) -> TLSServerConfiguration? {
        guard let certificate = self[.tlsCertificate] else {
            guard let given = Self.needTLS.first(where: has) else { return nil }
            throw ConfigurationError("\(given) needs TLS: give \(.tlsCertificate) and \(.tlsKey) too")
        }
        guard let key = self[.tlsKey] else {
            throw ConfigurationError("\(.tlsCertificate) needs its private key: give \(.tlsKey) too")
        }
        let authorities = self[.clientCA]
        var configuration = TLSServerConfiguration(
            certificateChainFile: certificate,
            privateKeyFile: key,
            privateKeyPassphrase: readsSecrets ? try passphrase() : nil,
            minimumVersion: try value(.tlsMinVersion, Parse.tlsVersion) ?? .v1_2,
            clientCertificates: try value(.clientCertificates, Parse.clientCertificates)
                ?? (authorities == nil ? .off : .required),
            clientCAFile: authorities
        )
        configuration.handshakeTimeout = try duration(.handshakeTimeout) ?? configuration.handshakeTimeout
        return configuration
    }

    /// The passphrase of the key, from its file; nil where the key is not encrypted.
    package func passphrase() throws(ConfigurationError) -> String? {
        guard let file = self[.tlsKeyPassphraseFile] else { return nil }
        return try Passphrase.read(file, for: .tlsKeyPassphraseFile)
    }

    /// What makes no sense without a certificate.
    private static let needTLS: [Setting] = [
        .tlsListen, .tlsKey, .tlsKeyPassphraseFile, .tlsMinVersion, .clientCA, .clientCertificates, .handshakeTimeout,
    ]
}
