import COpenSSL

extension TLSContext {
    /// Whether both were read from files of the same content, and are to be used in the same way.
    func isEqual(to other: TLSContext) -> Bool {
        role == other.role && minimumVersion == other.minimumVersion && handshakeTimeout == other.handshakeTimeout
            && shutdownTimeout == other.shutdownTimeout && shows(sameAs: other) && trusts(sameAs: other)
    }

    /// Whether both admit the same clients: they ask for certificates in the same way, and trust the same authorities.
    func admits(sameAs other: TLSContext) -> Bool { role == other.role && trusts(sameAs: other) }

    /// The same certificates, and so the same key: it fits the first of them, or there would be no context.
    private func shows(sameAs other: TLSContext) -> Bool { ownCertificates == other.ownCertificates }

    private func trusts(sameAs other: TLSContext) -> Bool { authorities == other.authorities }

    private var ownCertificates: [[UInt8]] {
        let chain = COpenSSL_SSL_CTX_get0_chain(pointer)
        return (SSL_CTX_get0_certificate(pointer).map { [digest(of: $0)] } ?? []) + digests(of: chain)
    }

    private var authorities: Set<[UInt8]> {
        let all = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(pointer))
        defer { COpenSSL_X509_free_all(all) }
        return Set(digests(of: all))
    }

    private func digests(of stack: OpaquePointer?) -> [[UInt8]] {
        // None is -1 of them.
        (0..<max(OPENSSL_sk_num(stack), 0)).compactMap { index in
            OPENSSL_sk_value(stack, index).map { digest(of: OpaquePointer($0)) }
        }
    }

    private func digest(of certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard X509_digest(certificate, EVP_sha256(), &digest, &length) == 1 else { return [] }
        return Array(digest.prefix(Int(length)))
    }
}
