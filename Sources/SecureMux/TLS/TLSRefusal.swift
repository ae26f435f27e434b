/// Why a TLS connection failed, in words for whoever has to put it right.
package struct TLSRefusal: SentenceError, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The peer spoke Modbus/TCP without TLS.
        case plainModbus
        /// The peer spoke HTTP without TLS.
        case plainHTTP
        /// The peer spoke something else than TLS.
        case notTLS
        /// The handshake was not complete in time.
        case timedOut
        /// The client's hello, or its certificates, are longer than we keep.
        case messageTooLarge
        /// Others needed the memory for their handshakes.
        case crowdedOut
        /// The peer closed the connection before the handshake was complete.
        case hungUp
        /// The peer's newest version of TLS is older than our oldest, or ours than the peer's.
        case versionTooOld
        /// No cipher, group or signature algorithm is acceptable to both ends.
        case nothingInCommon
        /// A certificate is required and none was sent.
        case noCertificate
        /// The peer's certificate, or one it depends on, has expired.
        case certificateExpired
        /// The peer's certificate, or one it depends on, is not valid yet.
        case certificateNotYetValid
        /// The peer's certificate comes from an authority we do not trust.
        case unknownAuthority
        /// The peer's certificate is signed by itself, and not one we trust.
        case selfSigned
        /// The peer's certificate may not be used for its end of a connection.
        case wrongPurpose
        /// The peer's certificate has a key or signature below security level 2.
        case weakCertificate
        /// The server's certificate is for another host.
        case nameMismatch
        /// An authority that the peer's certificate depends on is none.
        case badAuthority
        /// The peer's certificate has a key of a kind that we do not support.
        case unsupportedKey
        /// The peer's certificate is bad in another way.
        case invalidCertificate
        /// The peer refused our certificate.
        case certificateRejected
        /// The peer ended the connection with another alert.
        case rejected
        /// The peer broke the rules of TLS, or the bytes were damaged on their way.
        case protocolViolation
        /// OpenSSL failed on our side.
        case internalFailure
    }

    package var kind: Kind
    /// What happened, a clause that starts with the peer: "the client …".
    package var reason: String
    /// What to do about it, a clause in the imperative.
    package var remedy: Sentence

    package init(_ kind: Kind, _ reason: String, remedy: Sentence) {
        self.kind = kind
        self.reason = reason
        self.remedy = remedy
    }

    /// The reason and the remedy in one sentence.
    package var sentence: Sentence {
        "\(reason): \(remedy)"
    }
}

extension TLSRefusal: ClientRefusal {
    var refusalKind: RefusalKind { .tls(kind.rawValue) }

    /// Whoever hangs up without a byte only looked whether the port is open.
    var isHarmless: Bool { self == .hungUp(.server(.off), heardFrom: false) }
}
