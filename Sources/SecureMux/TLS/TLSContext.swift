import COpenSSL

/// What all TLS sessions of a listener, or of a client, have in common: versions, ciphers, certificates, rules.
///
/// Built whole from its files or not at all, and then immutable: to change something, make another one.
package final class TLSContext: Sendable {
    /// Which end of its sessions is ours.
    package enum Role: Sendable, Hashable {
        case server(ClientCertificates)
        case client(serverName: String)
    }

    package let role: Role
    package let minimumVersion: TLSVersion
    package let handshakeTimeout: Duration
    package let shutdownTimeout: Duration
    /// What works but should be looked at, such as an expired certificate; one sentence each, for the log.
    package let warnings: [Sentence]
    /// Whether we have a certificate to show.
    let hasCertificate: Bool
    nonisolated(unsafe) let pointer: OpaquePointer  // Safe: counted atomically, changed no more after init.

    /// Reads the server's files.
    package convenience init(server configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        try self.init(
            role: .server(configuration.clientCertificates),
            method: TLS_server_method(),
            minimumVersion: configuration.minimumVersion,
            handshakeTimeout: configuration.handshakeTimeout,
            shutdownTimeout: configuration.shutdownTimeout,
            hasCertificate: true
        ) { (pointer, warnings) throws(TLSConfigurationError) in
            let identity = Identity(
                certificates: PEMFile(path: configuration.certificateChainFile, setting: .tlsCertificate),
                key: PEMFile(path: configuration.privateKeyFile, setting: .tlsKey),
                passphrase: configuration.privateKeyPassphrase,
                passphraseSetting: .tlsKeyPassphraseFile,
                purpose: X509_PURPOSE_SSL_SERVER
            )
            try identity.install(in: pointer, minimumVersion: configuration.minimumVersion, warnings: &warnings)
            guard configuration.clientCertificates != .off else { return }
            guard let caFile = configuration.clientCAFile else {
                throw TLSConfigurationError(
                    .contradiction,
                    "client certificates are asked for, but no authority that signs them is known",
                    remedy: "name its certificate file with \(.clientCA), or set \(.clientCertificates, "off")"
                )
            }
            let authorities = TrustedAuthorities(file: PEMFile(path: caFile, setting: .clientCA))
            try authorities.install(in: pointer, namedToPeer: true, warnings: &warnings)
            var mode = SSL_VERIFY_PEER
            if configuration.clientCertificates == .required {
                mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT
            }
            SSL_CTX_set_verify(pointer, mode, TLSSession.certificateVerified)
            SSL_CTX_set_purpose(pointer, X509_PURPOSE_SSL_CLIENT)
            COpenSSL_SSL_CTX_set_max_cert_list(pointer, longestClientChain)
        }
    }

    /// Reads the client's files.
    package convenience init(client configuration: TLSClientConfiguration) throws(TLSConfigurationError) {
        let certificateFile = configuration.certificateChainFile
        try self.init(
            role: .client(serverName: configuration.serverName),
            method: TLS_client_method(),
            minimumVersion: configuration.minimumVersion,
            handshakeTimeout: configuration.handshakeTimeout,
            shutdownTimeout: configuration.shutdownTimeout,
            hasCertificate: certificateFile != nil
        ) { (pointer, warnings) throws(TLSConfigurationError) in
            guard !configuration.serverName.isEmpty, !configuration.serverName.utf8.contains(0) else {
                throw TLSConfigurationError(
                    .contradiction,
                    "the server's name is empty or has a null in it",
                    remedy: "give the host name or address that the server's certificate is for"
                )
            }
            let authorities = TrustedAuthorities(file: PEMFile(path: configuration.caFile, setting: .ca))
            try authorities.install(in: pointer, namedToPeer: false, warnings: &warnings)
            SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, TLSSession.certificateVerified)
            SSL_CTX_set_purpose(pointer, X509_PURPOSE_SSL_SERVER)
            switch (certificateFile, configuration.privateKeyFile) {
            case (nil, nil):
                break
            case (let certificates?, let key?):
                let identity = Identity(
                    certificates: PEMFile(path: certificates, setting: .certificate),
                    key: PEMFile(path: key, setting: .key),
                    passphrase: configuration.privateKeyPassphrase,
                    passphraseSetting: .keyPassphraseFile,
                    purpose: X509_PURPOSE_SSL_CLIENT
                )
                try identity.install(in: pointer, minimumVersion: configuration.minimumVersion, warnings: &warnings)
            default:
                throw TLSConfigurationError(
                    .contradiction,
                    "a certificate and its private key are needed together",
                    remedy: "give both \(.certificate) and \(.key), or neither"
                )
            }
        }
    }

    private init(
        role: Role,
        method: OpaquePointer?,
        minimumVersion: TLSVersion,
        handshakeTimeout: Duration,
        shutdownTimeout: Duration,
        hasCertificate: Bool,
        configure: (OpaquePointer, inout [Sentence]) throws(TLSConfigurationError) -> Void
    ) throws(TLSConfigurationError) {
        ERR_clear_error()
        guard let pointer = SSL_CTX_new(method) else {
            throw TLSConfigurationError(openSSL: OpenSSLError.takeQueue())
        }
        var warnings: [Sentence] = []
        do {
            try applyPolicy(to: pointer, minimumVersion: minimumVersion)
            try configure(pointer, &warnings)
            if hasCertificate { completeChain(in: pointer) }
        } catch {
            SSL_CTX_free(pointer)
            ERR_clear_error()
            throw error
        }
        self.pointer = pointer
        self.warnings = warnings
        self.role = role
        self.minimumVersion = minimumVersion
        self.handshakeTimeout = handshakeTimeout
        self.shutdownTimeout = shutdownTimeout
        self.hasCertificate = hasCertificate
    }

    deinit {
        SSL_CTX_free(pointer)
    }
}

/// How long the message with a client's certificates may be, in bytes: OpenSSL has so much memory for each message anyway.
let longestClientChain = 16 << 10

/// What holds for every session, whatever the configuration.
private func applyPolicy(to context: OpaquePointer, minimumVersion: TLSVersion) throws(TLSConfigurationError) {
    // Authenticated encryption and ephemeral keys only (Modbus/TCP Security R-12, R-14, R-36, R-50, R-62). The length
    // of AES keys is left to the client, ChaCha20 comes last: nearly every processor has AES instructions.
    let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ]
    let suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    // Needed wherever sessions and client certificates meet, even though no session is ever resumed.
    let sessionContext = Array("tcp-multiplexer".utf8)
    SSL_CTX_set_security_level(context, 2)
    guard
        COpenSSL_SSL_CTX_set_min_proto_version(context, minimumVersion == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1,
        SSL_CTX_set_cipher_list(context, ciphers.joined(separator: ":")) == 1,
        SSL_CTX_set_ciphersuites(context, suites.joined(separator: ":")) == 1,
        COpenSSL_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1,
        SSL_CTX_set_session_id_context(context, sessionContext, UInt32(sessionContext.count)) == 1,
        // A resumed session skips the verification of the client's certificate, and early data can be replayed.
        SSL_CTX_set_num_tickets(context, 0) == 1,
        SSL_CTX_set_max_early_data(context, 0) == 1
    else { throw TLSConfigurationError(openSSL: OpenSSLError.takeQueue()) }
    SSL_CTX_set_options(
        context,
        COpenSSL_SSL_OP_NO_RENEGOTIATION() | COpenSSL_SSL_OP_NO_COMPRESSION() | COpenSSL_SSL_OP_NO_TICKET()
            | COpenSSL_SSL_OP_CIPHER_SERVER_PREFERENCE()
    )
    COpenSSL_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
    COpenSSL_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_NO_AUTO_CHAIN))
    SSL_CTX_set_verify_depth(context, 3)
}

/// Adds to a certificate that comes alone those of the trusted authorities that lead to a root.
///
/// OpenSSL would do so in each handshake, and verify our own certificate each time.
private func completeChain(in context: OpaquePointer) {
    guard COpenSSL_SSL_CTX_has_chain(context) == 0 else { return }
    // As far as they lead: the peer has its own authorities.
    _ = COpenSSL_SSL_CTX_build_cert_chain(context, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR)
    ERR_clear_error()
}
