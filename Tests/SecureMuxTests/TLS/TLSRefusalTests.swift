import COpenSSL
import NIOCore
import Testing

@testable import SecureMux

@Suite struct TLSRefusalTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    /// A client of the development certificates that a server which requires one refuses.
    struct RefusedClient: CustomTestStringConvertible {
        var certificate: String?
        var mode = ClientCertificates.required
        var kind: TLSRefusal.Kind
        /// In what the server says.
        var words: [String]
        /// How the client takes it: TLS 1.3, then TLS 1.2.
        var seenByClient: [TLSRefusal.Kind]

        var testDescription: String { "\(certificate ?? "none"), \(mode)" }

        static let all = [
            RefusedClient(
                kind: .noCertificate,
                words: ["the client sent no certificate", "'client-ca'"],
                seenByClient: [.noCertificate, .rejected]
            ),
            RefusedClient(
                certificate: "client-expired",
                kind: .certificateExpired,
                words: [
                    "(CN=expired,O=tcp-multiplexer development)", "expired on 2024-02-01 00:00:00 UTC", "renew it",
                ],
                seenByClient: [.certificateRejected, .certificateRejected]
            ),
            RefusedClient(
                certificate: "foreign-client",
                kind: .unknownAuthority,
                words: ["CN=foreigner", "an authority we do not trust (CN=Foreign development CA", "'client-ca'"],
                seenByClient: [.certificateRejected, .certificateRejected]
            ),
            RefusedClient(
                certificate: "client-serverauth",
                kind: .wrongPurpose,
                words: ["CN=serverauth", "may not be used by clients", "clientAuth"],
                seenByClient: [.certificateRejected, .certificateRejected]
            ),
            RefusedClient(
                certificate: "client-expired",
                mode: .optional,
                kind: .certificateExpired,
                words: ["expired on"],
                seenByClient: [.certificateRejected, .certificateRejected]
            ),
        ]
    }

    @Test(arguments: RefusedClient.all, [TLSVersion.v1_3, .v1_2])
    func `a bad client certificate is refused with its reason, and the client learns of it`(
        client: RefusedClient,
        version: TLSVersion
    ) throws {
        let pair = try SessionPair(
            certificates.client(client.certificate),
            certificates.server(client.mode),
            newest: version
        )
        let steps = pair.handshake()
        let refusal = try #require(steps.server.refusal)
        #expect(refusal.kind == client.kind)
        for words in client.words {
            #expect(refusal.description.contains(words), "\(refusal)")
        }
        #expect(!pair.server.isEstablished)
        #expect(pair.server.peerCertificate == nil)
        #expect(steps.client.refusal?.kind == client.seenByClient[version == .v1_3 ? 0 : 1])
    }

    @Test(
        arguments: [
            (ClientCertificates.off, nil), (.off, "client-expired"), (.optional, nil), (.optional, "client"),
            (.required, "client"),
        ] as [(ClientCertificates, String?)],
        [TLSVersion.v1_3, .v1_2]
    )
    func `a client that meets the listener's demand is served`(
        demand: (mode: ClientCertificates, certificate: String?),
        version: TLSVersion
    ) throws {
        let pair = try SessionPair(
            certificates.client(demand.certificate),
            certificates.server(demand.mode),
            newest: version
        )
        #expect(pair.handshake().server == .complete)
        let isKnown = demand.mode != .off && demand.certificate != nil
        #expect((pair.server.peerCertificate != nil) == isKnown)
    }

    private func refusal(of made: MadeCertificate) throws -> TLSRefusal? {
        var server = certificates.server(.required)
        server.clientCAFile = made.caFile
        var client = certificates.client()
        client.certificateChainFile = made.certificateFile
        client.privateKeyFile = made.keyFile
        return try SessionPair(client, server).handshake().server.refusal
    }

    @Test func `a certificate of the future is refused with its date`() throws {
        let refusal = try refusal(of: MadeCertificate { $0.validFrom = 86_400 })
        #expect(refusal?.kind == .certificateNotYetValid)
        #expect(refusal?.reason.contains("is not valid before 20") == true)
    }

    @Test func `a weak key is refused`() throws {
        var client = certificates.client()
        let made = try MadeCertificate { $0.key = .rsa(bits: 1024) }
        client.certificateChainFile = made.certificateFile
        client.privateKeyFile = made.keyFile
        #expect {
            try TLSContext(client: client)
        } throws: {
            ($0 as? TLSConfigurationError)?.kind == .tooWeak
        }
        // A client with no such scruples.
        var evidence = TLSEvidence(role: .server(.required), minimumVersion: .v1_2, hasCertificate: true)
        evidence.verification = CertificateVerdict(code: X509_V_ERR_EE_KEY_TOO_SMALL, certificate: nil, depth: 0)
        #expect(TLSRefusal(evidence).kind == .weakCertificate)
    }

    @Test func `a critical extension that nobody knows is refused with the way out`() throws {
        let made = try MadeCertificate {
            $0.extensions.append(("1.3.6.1.4.1.50316.802.1", "critical,ASN1:UTF8String:operator"))
        }
        let refusal = try refusal(of: made)
        #expect(refusal?.kind == .invalidCertificate)
        #expect(refusal?.remedy.description.contains("role must not be marked critical") == true)
    }

    @Test func `three authorities may stand between a certificate and the root, four are too many`() throws {
        #expect(try refusal(of: MadeCertificate { $0.intermediates = 3 }) == nil)
        let refusal = try refusal(of: MadeCertificate { $0.intermediates = 4 })
        #expect(refusal?.kind == .invalidCertificate)
        #expect(refusal?.reason == "the client's certificate has more than three authorities between it and the root")
    }

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `certificates that take more than they may are called too large`(version: TLSVersion) throws {
        let made = try MadeCertificate { $0.extensions.append(("nsComment", String(repeating: "x", count: 17_000))) }
        var server = certificates.server(.required)
        server.clientCAFile = made.caFile
        var client = certificates.client()
        (client.certificateChainFile, client.privateKeyFile) = (made.certificateFile, made.keyFile)
        let refusal = try SessionPair(client, server, newest: version).handshake().server.refusal
        #expect(refusal?.kind == .messageTooLarge)
        #expect(refusal?.reason == "the client's certificates take more than 16 KiB")
    }

    @Test(arguments: [SSL_R_WRONG_CURVE, SSL_R_UNKNOWN_CERTIFICATE_TYPE])
    func `a kind of key that we do not support is called so`(reason: Int32) {
        var evidence = TLSEvidence(role: .server(.required), minimumVersion: .v1_2, hasCertificate: true)
        evidence.errors = [OpenSSLError(library: ERR_LIB_SSL, reason: reason)]
        #expect(TLSRefusal(evidence).kind == .unsupportedKey)
    }

    @Test func `a self-signed certificate is refused unless it is in the CA file`() throws {
        let stranger = try MadeCertificate.selfSigned()
        #expect(try refusal(of: stranger) == nil)
        var client = certificates.client()
        client.certificateChainFile = stranger.certificateFile
        client.privateKeyFile = stranger.keyFile
        let steps = try SessionPair(client, certificates.server(.required)).handshake()
        #expect(steps.server.refusal?.kind == .selfSigned)
    }

    // MARK: What the client refuses

    @Test(arguments: [TLSVersion.v1_2, .v1_3])
    func `a client that does not trust the server says so, and the server explains it`(version: TLSVersion) throws {
        var client = certificates.client("client")
        client.caFile = certificates["foreign-ca.crt"]
        let steps = try SessionPair(client, certificates.server(.required), newest: version).handshake()
        #expect(steps.client.refusal?.kind == .unknownAuthority)
        #expect(steps.client.refusal?.description.contains("'ca'") == true)
        #expect(steps.server.refusal?.kind == .certificateRejected)
        #expect(steps.server.refusal?.reason.contains("the client does not trust our certificate") == true)
        #expect(steps.server.refusal?.remedy.description.contains("give the client the CA file") == true)
    }

    @Test(arguments: ["localhost", "127.0.0.1", "::1"])
    func `a server is believed under each of its names`(name: String) throws {
        let pair = try SessionPair(certificates.client(serverName: name), certificates.server())
        #expect(pair.handshake().client.refusal == nil)
        #expect(pair.client.isEstablished)
    }

    @Test(arguments: ["inverter.example", "127.0.0.2", "local", "localhost.example"])
    func `a server is not believed under another name`(name: String) throws {
        let refusal = try SessionPair(certificates.client(serverName: name), certificates.server()).handshake().client
            .refusal
        #expect(refusal?.kind == .nameMismatch)
        #expect(refusal?.reason.contains("is not for \(name)") == true)
    }

    @Test func `a server with a client's certificate is not believed`() throws {
        var server = certificates.server()
        server.certificateChainFile = certificates["client.crt"]
        server.privateKeyFile = certificates["client.key"]
        let refusal = try SessionPair(certificates.client(), server).handshake().client.refusal
        #expect(refusal?.kind == .wrongPurpose)
    }

    // MARK: Versions and ciphers

    /// A hello without extensions, as clients sent it before TLS 1.2.
    private func hello(version: UInt16, ciphers: [UInt16]) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeInteger(version)
        body.writeRepeatingByte(7, count: 32)
        body.writeInteger(UInt8(0))
        body.writeInteger(UInt16(ciphers.count * 2))
        for cipher in ciphers { body.writeInteger(cipher) }
        body.writeBytes([1, 0])
        var record = ByteBuffer(bytes: [0x16, 3, 1])
        record.writeInteger(UInt16(body.readableBytes + 4))
        record.writeInteger(UInt32(body.readableBytes) | 0x0100_0000)
        record.writeBuffer(&body)
        return record
    }

    private func answer(
        to bytes: ByteBuffer,
        _ configuration: TLSServerConfiguration
    ) throws -> (TLSRefusal?, ByteBuffer) {
        let session = try TLSSession(TLSContext(server: configuration))
        session.receive(bytes)
        var records = ByteBuffer()
        let step = session.handshake(records: &records)
        return (step.refusal, records)
    }

    @Test(arguments: [(0x0301 as UInt16, "TLS 1.0"), (0x0302, "TLS 1.1")])
    func `an old version is refused by name, with an alert`(version: UInt16, name: String) throws {
        let (refusal, records) = try answer(to: hello(version: version, ciphers: [0xC009]), certificates.server())
        #expect(refusal?.kind == .versionTooOld)
        #expect(refusal?.reason == "the client offers \(name) at most and this listener wants at least TLS 1.2")
        #expect(Array(records.readableBytesView.suffix(2)) == [2, 70])
    }

    @Test func `TLS 1.2 is refused where 1.3 is the minimum, and both ends say so`() throws {
        let steps = try SessionPair(
            certificates.client(),
            certificates.server(minimumVersion: .v1_3),
            newest: .v1_2
        ).handshake()
        #expect(steps.server.refusal?.kind == .versionTooOld)
        #expect(steps.server.refusal?.description.contains("'tls-min-version' 1.2") == true)
        #expect(steps.client.refusal?.kind == .versionTooOld)
    }

    @Test func `a client with nothing but old ciphers is refused`() throws {
        // TLS_RSA_WITH_AES_128_CBC_SHA
        let (refusal, records) = try answer(to: hello(version: 0x0303, ciphers: [0x002F]), certificates.server())
        #expect(refusal?.kind == .nothingInCommon)
        #expect(records.recordLengths.map(\.type) == [0x15])
    }

    // MARK: No TLS at all

    @Test(
        arguments: [
            ([0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1], .plainModbus, "spoke plain Modbus/TCP to the TLS port"),
            ([0x16, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1], .plainModbus, "spoke plain Modbus/TCP to the TLS port"),
            // The same bytes begin a record of TLS, which is never empty.
            ([0x16, 3, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1], .plainModbus, "spoke plain Modbus/TCP to the TLS port"),
            (Array("GET / HTTP/1.1\r\n\r\n".utf8), .plainHTTP, "spoke plain HTTP to the TLS port"),
            (Array("hello\n".utf8), .notTLS, "does not speak TLS (its first bytes: 68 65 6c 6c 6f 0a)"),
            ([0], .notTLS, "does not speak TLS (its first bytes: 00)"),
            (Array(repeating: 0xFF, count: 100), .notTLS, "does not speak TLS"),
        ] as [([UInt8], TLSRefusal.Kind, String)]
    )
    func `a client that speaks no TLS is told apart`(bytes: [UInt8], kind: TLSRefusal.Kind, words: String) throws {
        let (refusal, _) = try answer(to: ByteBuffer(bytes: bytes), certificates.server())
        #expect(refusal?.kind == kind)
        #expect(refusal?.reason.contains(words) == true, "\(refusal?.reason ?? "none")")
    }

    @Test(
        arguments: [
            [0x16, 3, 1, 0xFF, 0xFF, 1, 2, 3], [0x16, 3, 1, 0, 4, 1, 0, 0, 0],
            [0x16, 3, 1, 0, 4, 0x63, 0, 0, 0], [0x16, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
        ] as [[UInt8]]
    )
    func `garbage in the shape of a record is refused`(bytes: [UInt8]) throws {
        let (refusal, _) = try answer(to: ByteBuffer(bytes: bytes), certificates.server())
        #expect(refusal != nil)
    }

    @Test func `a server that speaks no TLS is told apart`() throws {
        let session = try TLSSession(TLSContext(client: certificates.client()))
        var records = ByteBuffer()
        #expect(session.handshake(records: &records) == .needsInput)
        session.receive(ByteBuffer(string: "HTTP/1.0 400 Bad Request\r\n\r\n"))
        let refusal = session.handshake(records: &records).refusal
        #expect(refusal?.kind == .plainHTTP)
        #expect(refusal?.remedy == "connect without TLS")
    }

    // MARK: The table itself

    @Test(
        arguments: [
            (SSL_AD_BAD_CERTIFICATE, .certificateRejected, "bad certificate"),
            (SSL_AD_UNSUPPORTED_CERTIFICATE, .certificateRejected, "unsupported certificate"),
            (SSL_AD_CERTIFICATE_REVOKED, .certificateRejected, "certificate revoked"),
            (SSL_AD_CERTIFICATE_EXPIRED, .certificateRejected, "certificate expired"),
            (SSL_AD_CERTIFICATE_UNKNOWN, .certificateRejected, "certificate unknown"),
            (SSL_AD_UNKNOWN_CA, .certificateRejected, "unknown CA"),
            (SSL_AD_ACCESS_DENIED, .certificateRejected, "access denied"),
            (SSL_AD_HANDSHAKE_FAILURE, .nothingInCommon, "handshake failure"),
            (SSL_AD_INSUFFICIENT_SECURITY, .nothingInCommon, "insufficient security"),
            (SSL_AD_PROTOCOL_VERSION, .versionTooOld, "protocol version"),
            (SSL_AD_NO_CERTIFICATE, .noCertificate, "no certificate"),
            (SSL_AD_CERTIFICATE_REQUIRED, .noCertificate, "certificate required"),
            (SSL_AD_USER_CANCELLED, .hungUp, "user canceled"),
            (SSL_AD_MISSING_EXTENSION, .rejected, "missing extension"),
            (SSL_AD_INTERNAL_ERROR, .rejected, "internal error"),
            (255, .rejected, "unknown"),
        ] as [(number: Int32, kind: TLSRefusal.Kind, name: String)],
        [TLSContext.Role.server(.off), .client(serverName: "device")]
    )
    func `every alert of the peer has its words`(
        alert: (number: Int32, kind: TLSRefusal.Kind, name: String),
        role: TLSContext.Role
    ) {
        var evidence = TLSEvidence(role: role, minimumVersion: .v1_2, hasCertificate: true)
        evidence.errors = [OpenSSLError(library: ERR_LIB_SSL, reason: SSL_AD_REASON_OFFSET + alert.number)]
        let refusal = TLSRefusal(evidence)
        #expect(refusal.kind == alert.kind)
        #expect(refusal.reason.hasSuffix("(TLS alert \(alert.number), \(alert.name))"))
        #expect(refusal.reason.hasPrefix(role == .server(.off) ? "the client" : "the server"))
    }

    /// The verdicts that say more than that the certificate is invalid.
    private static let kinds: [Int32: TLSRefusal.Kind] = [
        X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired,
        X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT: .unknownAuthority,
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: .unknownAuthority,
        X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: .unknownAuthority,
        X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .unknownAuthority,
        X509_V_ERR_CERT_UNTRUSTED: .unknownAuthority,
        X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: .selfSigned,
        X509_V_ERR_INVALID_PURPOSE: .wrongPurpose,
        X509_V_ERR_EE_KEY_TOO_SMALL: .weakCertificate,
        X509_V_ERR_CA_KEY_TOO_SMALL: .weakCertificate,
        X509_V_ERR_CA_MD_TOO_WEAK: .weakCertificate,
        X509_V_ERR_EC_KEY_EXPLICIT_PARAMS: .weakCertificate,
        X509_V_ERR_INVALID_CA: .badAuthority,
        X509_V_ERR_KEYUSAGE_NO_CERTSIGN: .badAuthority,
        X509_V_ERR_PATH_LENGTH_EXCEEDED: .badAuthority,
        X509_V_ERR_HOSTNAME_MISMATCH: .nameMismatch,
        X509_V_ERR_IP_ADDRESS_MISMATCH: .nameMismatch,
    ]

    @Test(arguments: X509_V_ERR_UNSPECIFIED...X509_V_ERR_EC_KEY_EXPLICIT_PARAMS)
    func `every verdict on a certificate is of its kind and has its words`(code: Int32) {
        var evidence = TLSEvidence(role: .server(.required), minimumVersion: .v1_2, hasCertificate: true)
        evidence.verification = CertificateVerdict(code: code, certificate: nil, depth: 1)
        let refusal = TLSRefusal(evidence)
        #expect(refusal.kind == Self.kinds[code] ?? .invalidCertificate)
        #expect(refusal.reason.hasPrefix("the client's certificate"))
        #expect(!refusal.remedy.description.isEmpty)
    }

    @Test func `an error that nobody knows is put in OpenSSL's own words`() {
        var evidence = TLSEvidence(role: .server(.required), minimumVersion: .v1_2, hasCertificate: true)
        evidence.errors = [OpenSSLError(library: ERR_LIB_SSL, reason: SSL_R_BAD_EXTENSION)]
        #expect(TLSRefusal(evidence).reason == "the client broke the rules of TLS (bad extension)")
    }
}
