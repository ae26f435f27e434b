import COpenSSL
import NIOCore

extension TLSRefusal {
    /// The connection failed inside OpenSSL.
    init(_ evidence: TLSEvidence) {
        let words = TLSRefusalWords(evidence)
        if let verdict = evidence.verification {
            self = words.badCertificate(verdict)
            return
        }
        let reasons = evidence.errors.lazy.filter { $0.library == ERR_LIB_SSL }.map(\.reason)
        self = reasons.compactMap { words.known($0) }.first ?? words.unknown()
    }

    /// OpenSSL failed, and neither peer nor certificate is to blame.
    static func internalFailure(_ errors: [OpenSSLError]) -> TLSRefusal {
        let words = errors.map(\.description).joined(separator: ", ")
        return TLSRefusal(
            .internalFailure,
            "OpenSSL failed on our side (\(words))",
            remedy: "see the memory of this machine"
        )
    }

    /// The peer's first bytes cannot be the start of a TLS connection.
    static func notTLS(_ evidence: TLSEvidence) -> TLSRefusal {
        TLSRefusalWords(evidence).notTLS()
    }

    /// The client's hello is longer than we keep.
    static let helloTooLarge = TLSRefusal(
        .messageTooLarge,
        "the client began its TLS handshake with a hello of more than \(IncomingHello.limit >> 10) KiB",
        remedy: "no client has reason for that: look who connects from there, and keep strangers out with \(.allow)"
    )

    /// Other records interrupt the client's hello.
    static let interruptedHello = TLSRefusal(
        .protocolViolation,
        "the client broke the rules of TLS (its hello is interrupted by a record of another kind)",
        remedy: "update its software, and check that nothing on the way changes the bytes"
    )

    /// The handshakes of others need the memory.
    static let crowdedOut = TLSRefusal(
        .crowdedOut,
        "the client had not completed its TLS handshake when others needed the memory for theirs",
        remedy: "look for a program at its address that opens many connections; keep strangers out with \(.allow)"
    )

    /// The peer closed the connection before the handshake was complete.
    static func hungUp(_ role: TLSContext.Role, heardFrom: Bool) -> TLSRefusal {
        switch (role, heardFrom) {
        case (.server, false):
            TLSRefusal(
                .hungUp,
                "the client connected and hung up without sending a byte",
                remedy: "nothing to do if it only looked whether the port is open"
            )
        case (.server, true):
            TLSRefusal(
                .hungUp,
                "the client hung up during the TLS handshake",
                remedy: "see its own log; if it does not trust our certificate, give it the CA file"
            )
        case (.client, false):
            TLSRefusal(
                .hungUp,
                "the server hung up without a byte of the TLS handshake",
                remedy: "check that this port speaks TLS and that this address is on the server's allow-list"
            )
        case (.client, true):
            TLSRefusal(.hungUp, "the server hung up during the TLS handshake", remedy: "see the server's log")
        }
    }

    /// The handshake was not complete in time.
    static func timedOut(_ role: TLSContext.Role, after limit: Duration, heardFrom: Bool) -> TLSRefusal {
        switch (role, heardFrom) {
        case (.server, false):
            TLSRefusal(
                .timedOut,
                "the client connected and sent nothing for \(limit.shortText)",
                remedy: "check that it speaks TLS and not a protocol in which the server speaks first"
            )
        case (.server, true):
            TLSRefusal(
                .timedOut,
                "the client did not complete the TLS handshake within \(limit.shortText)",
                remedy: "check the network between us and its own log"
            )
        case (.client, false):
            TLSRefusal(
                .timedOut,
                "the server did not answer the TLS handshake within \(limit.shortText)",
                remedy: "check that this port speaks TLS"
            )
        case (.client, true):
            TLSRefusal(
                .timedOut,
                "the server did not complete the TLS handshake within \(limit.shortText)",
                remedy: "check the network between us and the server's log"
            )
        }
    }
}

/// The table from OpenSSL's codes to sentences.
struct TLSRefusalWords {
    let evidence: TLSEvidence
    let isServer: Bool
    let peer: String

    init(_ evidence: TLSEvidence) {
        self.evidence = evidence
        if case .server = evidence.role { isServer = true } else { isServer = false }
        self.peer = isServer ? "the client" : "the server"
    }

    // MARK: What OpenSSL says

    func known(_ reason: Int32) -> TLSRefusal? {
        // OpenSSL reports an alert of the peer as 1000 and the alert's number.
        if reason >= SSL_AD_REASON_OFFSET, reason < SSL_AD_REASON_OFFSET + 256 {
            return alert(reason - SSL_AD_REASON_OFFSET)
        }
        switch reason {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return TLSRefusal(
                .noCertificate,
                "the client sent no certificate and this listener requires one",
                remedy:
                    "give the client a certificate and key of the CA in \(.clientCA); with a P-256 or RSA key, since "
                    + "many send none with another"
            )
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION, SSL_R_UNKNOWN_SSL_VERSION,
            SSL_R_UNSUPPORTED_SSL_VERSION, SSL_R_BAD_LEGACY_VERSION:
            return oldVersion()
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_SUITABLE_DIGEST_ALGORITHM:
            return TLSRefusal(
                .nothingInCommon,
                "\(peer) supports nothing that we accept (\(OpenSSLError(library: ERR_LIB_SSL, reason: reason)))",
                remedy: "it needs ECDHE with AES-GCM or ChaCha20, a P-256, P-384 or X25519 group, and SHA-256"
            )
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_BAD_RECORD_TYPE:
            if evidence.isEstablished { return noMoreTLS() }
            if let number = evidence.unreadAlert { return alert(Int32(number)) }
            return evidence.beginsWithTLS ? nil : notTLS()
        case SSL_R_WRONG_CURVE, SSL_R_UNKNOWN_CERTIFICATE_TYPE, SSL_R_WRONG_CERTIFICATE_TYPE,
            SSL_R_WRONG_SIGNATURE_TYPE,
            SSL_R_SIGNATURE_FOR_NON_SIGNING_CERTIFICATE, SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS:
            return TLSRefusal(
                .unsupportedKey,
                "\(peer)'s certificate has a key that we do not support "
                    + "(\(OpenSSLError(library: ERR_LIB_SSL, reason: reason)))",
                remedy: "make one with a P-256 or at least 2048 bit RSA key"
            )
        case SSL_R_EXCESSIVE_MESSAGE_SIZE where isServer:
            return TLSRefusal(
                .messageTooLarge,
                "the client's certificates take more than \(longestClientChain >> 10) KiB",
                remedy: "let it send its own certificate and those that lead to its root, and no others"
            )
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return TLSRefusal(.invalidCertificate, "\(peer)'s certificate is not valid", remedy: "use another one")
        default:
            return nil
        }
    }

    func unknown() -> TLSRefusal {
        let words = evidence.errors.map(\.description).joined(separator: ", ")
        return TLSRefusal(
            .protocolViolation,
            "\(peer) broke the rules of TLS (\(words.isEmpty ? "for no known reason" : words))",
            remedy: "update its software, and check that nothing on the way changes the bytes"
        )
    }

    private func oldVersion() -> TLSRefusal {
        let oldest = "TLS \(evidence.minimumVersion)"
        guard isServer else {
            return TLSRefusal(
                .versionTooOld,
                "the server speaks no version of TLS from \(oldest) on",
                remedy: "update the server's software"
            )
        }
        let offered =
            switch evidence.offeredVersion {
            case SSL3_VERSION: "SSL 3"
            case TLS1_VERSION: "TLS 1.0"
            case TLS1_1_VERSION: "TLS 1.1"
            case TLS1_2_VERSION: "TLS 1.2"
            default: "another version"
            }
        return TLSRefusal(
            .versionTooOld,
            "the client offers \(offered) at most and this listener wants at least \(oldest)",
            remedy: evidence.offeredVersion == TLS1_2_VERSION
                ? "update the client's software, or set \(.tlsMinVersion, "1.2")" : "update the client's software"
        )
    }

    // MARK: Alerts of the peer

    private func alert(_ number: Int32) -> TLSRefusal {
        // OpenSSL 3.0 has no name for these two alerts of TLS 1.3.
        let name =
            switch number {
            case SSL_AD_MISSING_EXTENSION: "missing extension"
            case SSL_AD_CERTIFICATE_REQUIRED: "certificate required"
            default: String(cString: SSL_alert_desc_string_long(number))
            }
        let said = "(TLS alert \(number), \(name))"
        switch number {
        case SSL_AD_UNKNOWN_CA, SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED,
            SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_ACCESS_DENIED:
            return rejectedCertificate(number, said)
        case SSL_AD_CERTIFICATE_REQUIRED, SSL_AD_NO_CERTIFICATE:
            return TLSRefusal(
                .noCertificate,
                "\(peer) requires a certificate and got none \(said)",
                remedy: "give \(.certificate) and \(.key)"
            )
        case SSL_AD_PROTOCOL_VERSION:
            return TLSRefusal(
                .versionTooOld,
                "\(peer) accepts none of the TLS versions we speak, 1.2 and 1.3 \(said)",
                remedy: isServer ? "update the client's software" : "check the server's minimum version"
            )
        case SSL_AD_HANDSHAKE_FAILURE where !isServer && !evidence.hasCertificate:
            return TLSRefusal(
                .rejected,
                "the server refused the handshake \(said)",
                remedy: "it may require a certificate: give \(.certificate) and \(.key), or see the server's log"
            )
        case SSL_AD_HANDSHAKE_FAILURE, SSL_AD_INSUFFICIENT_SECURITY:
            return TLSRefusal(
                .nothingInCommon,
                "\(peer) found nothing acceptable in what we support \(said)",
                remedy: "see its own log; we speak ECDHE with AES-GCM or ChaCha20 only"
            )
        case SSL_AD_USER_CANCELLED:
            return TLSRefusal(.hungUp, "\(peer) gave up during the TLS handshake \(said)", remedy: "see its own log")
        default:
            return TLSRefusal(.rejected, "\(peer) ended the connection \(said)", remedy: "see its own log")
        }
    }

    private func rejectedCertificate(_ number: Int32, _ said: String) -> TLSRefusal {
        let isTrust = number == SSL_AD_UNKNOWN_CA
        let reason = isTrust ? "\(peer) does not trust our certificate" : "\(peer) refuses our certificate"
        let remedy: Sentence =
            switch (number, isServer) {
            case (SSL_AD_CERTIFICATE_EXPIRED, _):
                "renew \(isServer ? Setting.tlsCertificate : .certificate), and check the clock of \(peer)"
            case (SSL_AD_UNSUPPORTED_CERTIFICATE, false):
                "make one with the extended key usage clientAuth"
            case (SSL_AD_UNSUPPORTED_CERTIFICATE, true):
                "make one with the extended key usage serverAuth"
            case (_, true):
                "give the client the CA file, and let it connect by a name or address that the certificate is for"
            case (_, false):
                "use a certificate of the CA that the server trusts, or see the server's log"
            }
        return TLSRefusal(.certificateRejected, "\(reason) \(said)", remedy: remedy)
    }

    // MARK: Something else than TLS

    private func noMoreTLS() -> TLSRefusal {
        TLSRefusal(
            .notTLS,
            "\(peer) sent something that is not TLS behind a complete handshake",
            remedy: "look for a part of its program, or a program on the way, that writes past its TLS"
        )
    }

    func notTLS() -> TLSRefusal {
        let bytes = Array(evidence.firstBytes.readableBytesView.prefix(8))
        // A record of a content type and version, with an alert of two bytes (RFC 8446, sections 5.1 and 6).
        if bytes.count >= 7, bytes[0] == 0x15, bytes[1] == 3, bytes[3] == 0, bytes[4] == 2 {
            return alert(Int32(bytes[6]))
        }
        let verbs = ["GET ", "POST", "HEAD", "PUT ", "OPTI", "DELE", "CONN", "PATC", "HTTP"]
        if bytes.count >= 4, verbs.contains(String(decoding: bytes.prefix(4), as: UTF8.self)) {
            return TLSRefusal(
                .plainHTTP,
                "\(peer) spoke plain HTTP \(isServer ? "to the TLS port" : "where TLS was expected")",
                remedy: isServer ? "use https, or a listener without TLS" : "connect without TLS"
            )
        }
        // MBAP: transaction identifier, protocol identifier 0, length of 2 to 254.
        if bytes.count >= 6, bytes[2] == 0, bytes[3] == 0, bytes[4] == 0, (2...254).contains(bytes[5]) {
            return TLSRefusal(
                .plainModbus,
                "\(peer) spoke plain Modbus/TCP \(isServer ? "to the TLS port" : "where TLS was expected")",
                remedy: isServer ? "turn TLS on in the client, or use a listener without TLS" : "connect without TLS"
            )
        }
        let shown = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        return TLSRefusal(
            .notTLS,
            "\(peer) does not speak TLS (its first bytes: \(shown))",
            remedy: isServer ? "turn TLS on in the client, or use a listener without TLS" : "connect without TLS"
        )
    }
}
