import COpenSSL

/// Our own certificate with its chain and private key.
struct Identity {
    let certificates: PEMFile
    let key: PEMFile
    let passphrase: String?
    let passphraseSetting: Setting
    let purpose: Int32

    /// Gives the context all of it, if it can be used.
    func install(
        in context: OpaquePointer,
        minimumVersion: TLSVersion,
        warnings: inout [Sentence]
    ) throws(TLSConfigurationError) {
        let chain = try certificates.certificates()
        let leaf = chain[0]
        let (privateKey, isOpenToOthers) = try key.privateKey(
            passphrase: passphrase,
            passphraseSetting: passphraseSetting
        )
        guard X509_check_private_key(leaf.pointer, privateKey.pointer) == 1 else {
            ERR_clear_error()
            throw TLSConfigurationError(
                .keyMismatch,
                file: key.path,
                "is not the private key of the first certificate in \(certificates.path)",
                remedy: "give \(certificates.setting) and \(key.setting) files that belong together, the leaf first"
            )
        }
        ERR_clear_error()
        try check(leaf.publicKey, minimumVersion, &warnings)
        guard SSL_CTX_use_certificate(context, leaf.pointer) == 1,
            SSL_CTX_use_PrivateKey(context, privateKey.pointer) == 1,
            chain.dropFirst().allSatisfy({ COpenSSL_SSL_CTX_add1_chain_cert(context, $0.pointer) == 1 }),
            SSL_CTX_check_private_key(context) == 1
        else { throw refused(OpenSSLError.takeQueue()) }
        if isOpenToOthers {
            warnings.append("\(key.path) holds a private key that others can read or change: chmod 600 \(key.path)")
        }
        warn(of: chain, &warnings)
    }

    /// A key that no peer can use is said at the start, not to each of them.
    private func check(
        _ key: PublicKey?,
        _ minimumVersion: TLSVersion,
        _ warnings: inout [Sentence]
    ) throws(TLSConfigurationError) {
        let remedy: Sentence = "make \(certificates.setting) with a P-256 or at least 2048 bit RSA key"
        guard let key, key.isForTLS else {
            throw TLSConfigurationError(
                .unusableKey,
                file: certificates.path,
                "has a key of a kind that TLS does not use (\(key?.kind ?? "unknown"))",
                remedy: remedy
            )
        }
        if key.isOnCurveOfTLS13 == false {
            guard minimumVersion == .v1_2 else {
                throw TLSConfigurationError(
                    .unusableKey,
                    file: certificates.path,
                    "has a key on a curve that TLS 1.3 lacks (\(key.curve))",
                    remedy: remedy
                )
            }
            warnings.append(
                "\(certificates.path) has a key on a curve that TLS 1.3 lacks (\(key.curve)), so that TLS 1.2 is spoken, and "
                    + "only with the few peers that know it: \(remedy)"
            )
        }
        if key.hasExplicitParameters {
            warnings.append(
                "\(certificates.path) has a key whose curve is given by its parameters and not by name, which many peers "
                    + "refuse: make the key anew with -pkeyopt ec_param_enc:named_curve"
            )
        }
    }

    private func refused(_ errors: [OpenSSLError]) -> TLSConfigurationError {
        let weak = [SSL_R_EE_KEY_TOO_SMALL, SSL_R_CA_KEY_TOO_SMALL, SSL_R_CA_MD_TOO_WEAK]
        guard let error = errors.first(where: { $0.library == ERR_LIB_SSL && weak.contains($0.reason) }) else {
            return TLSConfigurationError(openSSL: errors)
        }
        return TLSConfigurationError(
            .tooWeak,
            file: certificates.path,
            "is too weak (\(error))",
            remedy: "make \(certificates.setting) with a P-256 or at least 2048 bit RSA key and a SHA-256 signature"
        )
    }

    private func warn(of chain: [Certificate], _ warnings: inout [Sentence]) {
        for certificate in chain {
            let name = "\(certificates.path): the certificate \(certificate.subject)"
            if certificate.isExpired {
                warnings.append("\(name) expired on \(certificate.notAfter): renew it, peers will refuse it")
            } else if certificate.isNotYetValid {
                warnings.append("\(name) is not valid before \(certificate.notBefore): check the clock of this machine")
            }
        }
        let addresses = chain[0].addressesAsNames
        if !addresses.isEmpty {
            let wanted = addresses.map { "IP:\($0)" }.joined(separator: ",")
            warnings.append(
                "\(certificates.path): the certificate \(chain[0].subject) has \(addresses.joined(separator: ", ")) as a DNS "
                    + "name, where peers that connect by address do not look: make one with subjectAltName \(wanted)"
            )
        }
        if X509_check_purpose(chain[0].pointer, purpose, 0) != 1 {
            let usage = purpose == X509_PURPOSE_SSL_SERVER ? "serverAuth" : "clientAuth"
            warnings.append(
                "\(certificates.path): the certificate \(chain[0].subject) may not be used this way: "
                    + "make one with the extended key usage \(usage), peers will refuse this one"
            )
        }
        ERR_clear_error()
    }
}
