import COpenSSL

/// The certificates that peers' certificates may come from: exactly those of a file, roots or not.
struct TrustedAuthorities {
    let file: PEMFile

    /// A request for a certificate has 64 KiB for their names and some other things.
    static let longestNames = 63 << 10

    /// Makes them the only ones; with `namedToPeer` a peer is told their names when it is asked for a certificate.
    func install(
        in context: OpaquePointer,
        namedToPeer: Bool,
        warnings: inout [Sentence]
    ) throws(TLSConfigurationError) {
        let authorities = try file.certificates()
        let store = SSL_CTX_get_cert_store(context)
        for authority in authorities {
            guard X509_STORE_add_cert(store, authority.pointer) == 1 else {
                throw TLSConfigurationError(openSSL: OpenSSLError.takeQueue())
            }
        }
        // Whoever names an intermediate authority means that one, not what else its root has signed.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), UInt(X509_V_FLAG_PARTIAL_CHAIN))
        if namedToPeer { try name(authorities, in: context, &warnings) }
        warn(of: authorities, &warnings)
        ERR_clear_error()
    }

    private func name(
        _ authorities: [Certificate],
        in context: OpaquePointer,
        _ warnings: inout [Sentence]
    ) throws(TLSConfigurationError) {
        let length = authorities.reduce(0) { $0 + $1.subjectLength + 2 }
        guard length <= Self.longestNames else {
            warnings.append(
                "\(file.path): the names of its \(authorities.count) authorities take \(length) bytes, and a client can be "
                    + "told \(Self.longestNames): clients are told none, and some then send no certificate; leave out "
                    + "authorities that sign no clients"
            )
            return
        }
        for authority in authorities where SSL_CTX_add_client_CA(context, authority.pointer) != 1 {
            throw TLSConfigurationError(openSSL: OpenSSLError.takeQueue())
        }
    }

    private func warn(of authorities: [Certificate], _ warnings: inout [Sentence]) {
        let expired = authorities.filter { authority in
            authority.isExpired && !authorities.contains { !$0.isExpired && $0.hasSameNameAndKey(as: authority) }
        }
        if let first = expired.first {
            warnings.append(
                "\(naming(expired)) expired on \(first.notAfter): what is signed by it will be refused; renew it"
            )
        }
        for fault in Certificate.FaultAsAuthority.allCases {
            let group = authorities.filter { $0.faultAsAuthority == fault }
            guard let first = group.first else { continue }
            let remedy: Sentence =
                first.isSelfIssued
                ? "if it is to sign others, make it anew with basicConstraints CA:TRUE"
                : "give \(file.setting) the one that signed it, if others of that one are to be trusted"
            warnings.append(
                "\(naming(group)) is no authority (\(fault.rawValue)): it is trusted as a peer's own, and nothing that it "
                    + "signed; \(remedy)"
            )
        }
    }

    /// One line for however many.
    private func naming(_ certificates: [Certificate]) -> String {
        let others = certificates.count > 1 ? " (and \(certificates.count - 1) more like it)" : ""
        return "\(file.path): the certificate \(certificates[0].subject)\(others)"
    }
}
