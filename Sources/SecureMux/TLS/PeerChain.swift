import COpenSSL

/// The certificates that a peer showed in its handshake, its own first; none if it showed none.
struct PeerChain: Sendable {
    nonisolated(unsafe) let certificates: [Certificate]  // Safe: counted atomically, and changed no more.
}

extension TLSSession {
    /// What the peer of an established session showed.
    var peerChain: PeerChain {
        guard isEstablished, let own = SSL_get1_peer_certificate(ssl) else { return PeerChain(certificates: []) }
        var certificates = [Certificate(owning: own)]
        // A server's own list of them leaves the peer's own out, a client's does not.
        if let chain = SSL_get_peer_cert_chain(ssl) {
            for index in 0..<OPENSSL_sk_num(chain) {
                guard let value = OPENSSL_sk_value(chain, index) else { continue }
                certificates.append(Certificate(sharing: OpaquePointer(value)))
            }
        }
        return PeerChain(certificates: certificates)
    }
}

extension TLSContext {
    /// Why a peer that showed these certificates would be refused by a server with this context; nil if it would not.
    ///
    /// As in a handshake, and without one: for those whose handshake was with another context. May take a while.
    func refusal(of peer: PeerChain) -> TLSRefusal? {
        guard case .server(let wanted) = role, wanted != .off else { return nil }
        guard let own = peer.certificates.first else {
            return wanted == .required ? words(for: nil).known(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) : nil
        }
        guard let verdict = verdict(on: own, with: peer.certificates.dropFirst()) else { return nil }
        return words(for: verdict).badCertificate(verdict)
    }

    private func words(for verdict: CertificateVerdict?) -> TLSRefusalWords {
        TLSRefusalWords(
            TLSEvidence(
                role: role,
                minimumVersion: minimumVersion,
                hasCertificate: hasCertificate,
                verification: verdict,
                isEstablished: true
            )
        )
    }

    /// OpenSSL's verdict on a client's certificate by what this context trusts; nil for a good one.
    private func verdict(on own: Certificate, with others: ArraySlice<Certificate>) -> CertificateVerdict? {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let chain = OPENSSL_sk_new_null()
        defer { OPENSSL_sk_free(chain) }
        for other in others { OPENSSL_sk_push(chain, UnsafeRawPointer(other.pointer)) }
        let verification = X509_STORE_CTX_new()
        defer { X509_STORE_CTX_free(verification) }
        guard X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(pointer), own.pointer, chain) == 1,
            X509_STORE_CTX_set_default(verification, "ssl_client") == 1
        else {
            return CertificateVerdict(code: X509_V_ERR_UNSPECIFIED, certificate: own, depth: 0, namesake: nil)
        }
        let parameters = X509_STORE_CTX_get0_param(verification)
        X509_VERIFY_PARAM_set_auth_level(parameters, SSL_CTX_get_security_level(pointer))
        X509_VERIFY_PARAM_set1(parameters, SSL_CTX_get0_param(pointer))
        guard X509_verify_cert(verification) != 1 else { return nil }
        let certificate = X509_STORE_CTX_get_current_cert(verification).map { Certificate(sharing: $0) }
        let issuer = certificate.flatMap { X509_get_issuer_name($0.pointer) }
        return CertificateVerdict(
            code: X509_STORE_CTX_get_error(verification),
            certificate: certificate,
            depth: X509_STORE_CTX_get_error_depth(verification),
            namesake: COpenSSL_X509_STORE_CTX_first(verification, issuer).map { Certificate(owning: $0) }
        )
    }
}
