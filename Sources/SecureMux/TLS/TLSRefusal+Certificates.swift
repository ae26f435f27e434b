import COpenSSL

/// What is said of a peer's certificate that did not pass verification.
extension TLSRefusalWords {
    func badCertificate(_ verdict: CertificateVerdict) -> TLSRefusal {
        let subject = verdict.certificate?.subject ?? "unknown"
        let issuer = verdict.certificate?.issuer ?? "unknown"
        let which =
            verdict.depth == 0
            ? "\(peer)'s certificate (\(subject))" : "\(peer)'s certificate depends on one (\(subject)) that"
        let giveAnother: Sentence = isServer ? "give the client another one" : "give the server another one"
        switch verdict.code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return TLSRefusal(
                .certificateExpired,
                "\(which) expired on \(verdict.certificate?.notAfter ?? "an unknown date")",
                remedy: "renew it, and check the clock of this machine if that date is not past"
            )
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return TLSRefusal(
                .certificateNotYetValid,
                "\(which) is not valid before \(verdict.certificate?.notBefore ?? "an unknown date")",
                remedy: "check the clocks of this machine and of the one that made the certificate"
            )
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_CERT_UNTRUSTED:
            if let namesake = verdict.namesake { return otherIssuer(verdict, namesake, which) }
            return TLSRefusal(
                .unknownAuthority,
                "\(which) is signed by an authority we do not trust (\(issuer))",
                remedy: "use a certificate of a CA in \(authorities), or add that authority's certificate to the file"
            )
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return TLSRefusal(
                .selfSigned,
                "\(which) is signed by itself and not by an authority we trust",
                remedy: "use a certificate of a CA in \(authorities), or add this very certificate to the file"
            )
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            if let namesake = verdict.namesake { return otherIssuer(verdict, namesake, which) }
            return TLSRefusal(.invalidCertificate, "\(which) is not valid (\(text(verdict)))", remedy: giveAnother)
        case X509_V_ERR_INVALID_CA, X509_V_ERR_KEYUSAGE_NO_CERTSIGN, X509_V_ERR_PATH_LENGTH_EXCEEDED:
            let fault = verdict.certificate?.faultAsAuthority?.rawValue ?? text(verdict)
            return TLSRefusal(
                .badAuthority,
                verdict.depth == 0
                    ? "\(which) is not valid (\(text(verdict)))"
                    : badIssuer(subject, fault),
                remedy: "make that authority's certificate anew with basicConstraints CA:TRUE and keyUsage keyCertSign"
            )
        case X509_V_ERR_INVALID_PURPOSE:
            let usage = isServer ? "clientAuth" : "serverAuth"
            let other = isServer ? "serverAuth" : "clientAuth"
            return TLSRefusal(
                .wrongPurpose,
                "\(which) may not be used by \(isServer ? "clients" : "servers") (only for \(other) or the like)",
                remedy: "make one with the extended key usage \(usage)"
            )
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK,
            X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
            return TLSRefusal(
                .weakCertificate,
                "\(which) is too weak (\(text(verdict)))",
                remedy: "make one with a P-256 or at least 2048 bit RSA key and a SHA-256 signature"
            )
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return TLSRefusal(
                .nameMismatch,
                "\(which) is not for \(serverName)",
                remedy: verdict.certificate?.addressesAsNames.contains(serverName) == true
                    ? "it has that address as a DNS name: make one with subjectAltName IP:\(serverName)"
                    : "connect by a name or address that the certificate has as a subject alternative name"
            )
        case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
            return TLSRefusal(
                .invalidCertificate,
                "\(which) has a critical extension that we do not know",
                remedy: "make one without; a Modbus role must not be marked critical"
            )
        case X509_V_ERR_CERT_CHAIN_TOO_LONG:
            return TLSRefusal(
                .invalidCertificate,
                "\(peer)'s certificate has more than three authorities between it and the root",
                remedy: giveAnother
            )
        default:
            return TLSRefusal(.invalidCertificate, "\(which) is not valid (\(text(verdict)))", remedy: giveAnother)
        }
    }

    /// An authority of the issuer's name is trusted, and all the same it is not the issuer.
    private func otherIssuer(_ verdict: CertificateVerdict, _ namesake: Certificate, _ which: String) -> TLSRefusal {
        if verdict.mayNamesakeNotSign {
            return TLSRefusal(
                .badAuthority,
                badIssuer(namesake.subject, Certificate.FaultAsAuthority.mayNotSign.rawValue),
                remedy: "make that authority's certificate anew with keyUsage keyCertSign"
            )
        }
        return TLSRefusal(
            .unknownAuthority,
            "\(which) is not signed by the authority of that name that we trust (\(namesake.subject)): it has another key",
            remedy: "if that authority was made anew, add the certificate that signed this one to \(authorities)"
        )
    }

    /// What says which authorities we trust.
    private var authorities: Setting { isServer ? .clientCA : .ca }

    private func badIssuer(_ subject: String, _ fault: String) -> String {
        "\(peer)'s certificate is signed by an authority (\(subject)) that may not sign it (\(fault))"
    }

    private func text(_ verdict: CertificateVerdict) -> String {
        X509_verify_cert_error_string(Int(verdict.code)).map { String(cString: $0) } ?? "error \(verdict.code)"
    }

    private var serverName: String {
        if case .client(let name) = evidence.role { name } else { "this server" }
    }
}
