import COpenSSL
package import NIOCore

/// One end of a TLS connection: bytes in, bytes out, no I/O.
///
/// Feed what the peer sent with ``receive(_:)``, then take a step. Each step appends the records to be sent to the
/// buffer it is given, failed steps too: the peer is to see the alert. A failure is final; every later step repeats it.
///
/// Not safe to share between threads: one at a time has a session, another one with each step of the handshake perhaps.
package final class TLSSession {
    package enum Step: Equatable {
        /// Done.
        case complete
        /// Nothing more can be done before more bytes of the peer are received.
        case needsInput
        /// The peer said that nothing more will come (close_notify).
        case closed
        /// The connection has failed for good.
        case failed(TLSRefusal)
    }

    private let context: TLSContext
    let ssl: OpaquePointer
    private var input = ByteBuffer()
    private var records = ByteBuffer()
    private var failure: TLSRefusal?
    private var firstBytes = ByteBuffer()
    /// The type of the last record that OpenSSL has begun to read, until the handshake is complete.
    private var lastRecordType: UInt8?
    private var verdict: CertificateVerdict?
    private var closeSent = false

    /// Whether the handshake is complete and, where it is required, the peer's certificate verified.
    package private(set) var isEstablished = false

    /// Creates our end of a new connection.
    package init(_ context: TLSContext) throws(TLSRefusal) {
        ERR_clear_error()
        guard let ssl = SSL_new(context.pointer) else {
            throw TLSRefusal.internalFailure(OpenSSLError.takeQueue())
        }
        self.context = context
        self.ssl = ssl
        guard let bio = ByteBufferBIO.make(for: self) else {
            throw TLSRefusal.internalFailure(OpenSSLError.takeQueue())
        }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        switch context.role {
        case .server:
            SSL_set_accept_state(ssl)
        case .client(let serverName):
            SSL_set_connect_state(ssl)
            guard expect(serverName) else { throw TLSRefusal.internalFailure(OpenSSLError.takeQueue()) }
        }
    }

    deinit {
        SSL_free(ssl)
    }

    /// Takes bytes of the peer; the next step looks at them.
    package func receive(_ bytes: ByteBuffer) {
        if !isEstablished {
            // A copy: a channel makes itself another buffer for each one that is not given back at once, and keeps them.
            if firstBytes.readableBytes == 0 { firstBytes = ByteBuffer(bytes: bytes.readableBytesView.prefix(8)) }
            input.writeImmutableBuffer(bytes)
        } else if input.readableBytes == 0 {
            input = bytes
        } else {
            input.writeImmutableBuffer(bytes)
        }
    }

    /// Whether there are bytes of the peer that no step has looked at.
    package var hasInput: Bool {
        input.readableBytes > 0
    }

    /// Goes on with the handshake; a client starts it with this.
    package func handshake(records: inout ByteBuffer) -> Step {
        if let failure { return .failed(failure) }
        if isEstablished { return .complete }
        if let first = firstBytes.readableBytesView.first, !canStartTLS(first) {
            return fail(.notTLS(evidence()))
        }
        let step = run(&records) { SSL_do_handshake($0) }
        guard step == .complete else { return step }
        guard isPeerVerified else {
            return fail(
                TLSRefusal(.noCertificate, "the peer's certificate was not verified", remedy: "use another one")
            )
        }
        isEstablished = true
        firstBytes = ByteBuffer()
        lastRecordType = nil
        // A record in one read, not its header first. Not before: what has come for the next steps is to stay in our input.
        SSL_set_read_ahead(ssl, 1)
        return .complete
    }

    /// Decrypts everything received so far; never `.complete`, since more can always follow.
    package func decrypt(into plaintext: inout ByteBuffer, records: inout ByteBuffer) -> Step {
        if let failure { return .failed(failure) }
        repeat {
            // A record holds at most 16 KiB, and less than it is long itself.
            let space = min(max(input.readableBytes, 256), 16 << 10)
            let step = run(&records) { ssl in
                var count = 0
                var result: Int32 = 0
                plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: space) { bytes in
                    result = SSL_read_ex(ssl, bytes.baseAddress, bytes.count, &count)
                    return count
                }
                return result
            }
            guard step == .complete else {
                releaseInput()
                return step
            }
        } while hasInput || SSL_has_pending(ssl) == 1
        releaseInput()
        return .needsInput
    }

    /// Encrypts the bytes; up to 16 KiB make one record.
    package func encrypt(_ bytes: ByteBuffer, records: inout ByteBuffer) -> Step {
        if let failure { return .failed(failure) }
        // OpenSSL takes a write of nothing for an error.
        guard bytes.readableBytes > 0 else { return .complete }
        return bytes.withUnsafeReadableBytes { bytes in
            run(&records) { ssl in
                var count = 0
                return SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
            }
        }
    }

    /// Says that nothing more will come from us (close_notify); does nothing before the handshake is complete, after a
    /// failure or a second time.
    package func shutdown(records: inout ByteBuffer) {
        guard isEstablished, failure == nil, !closeSent else { return }
        closeSent = true
        _ = perform(&records) { SSL_shutdown($0) }
        ERR_clear_error()
    }

    /// The certificate that the peer has proved to be its own, once the session is established.
    package var peerCertificate: PeerCertificate? {
        guard isEstablished, let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
        return PeerCertificate(Certificate(owning: certificate))
    }

    /// The version that both ends agreed on, once the session is established.
    package var negotiatedVersion: TLSVersion? {
        guard isEstablished else { return nil }
        return SSL_version(ssl) == TLS1_3_VERSION ? .v1_3 : .v1_2
    }
}

@available(*, unavailable)
extension TLSSession: Sendable {}

/// OpenSSL asks for a record's header by itself during the handshake.
private let recordHeaderLength = 5

// MARK: OpenSSL

extension TLSSession {
    /// Every call that lets OpenSSL do I/O goes through here.
    ///
    /// The error queue belongs to the thread, not to the session: whatever another one left in it would be taken for the
    /// outcome of this call.
    private func perform(_ records: inout ByteBuffer, _ call: (OpaquePointer) -> Int32) -> Int32 {
        swap(&self.records, &records)
        defer { swap(&self.records, &records) }
        // It is nearly always empty, and to clear it takes longer than to look.
        if ERR_peek_error() != 0 { ERR_clear_error() }
        return call(ssl)
    }

    private func run(_ records: inout ByteBuffer, _ call: (OpaquePointer) -> Int32) -> Step {
        let result = perform(&records, call)
        if result > 0 { return .complete }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            return .needsInput
        case SSL_ERROR_ZERO_RETURN:
            return .closed
        default:
            var evidence = evidence()
            evidence.errors = OpenSSLError.takeQueue()
            return fail(TLSRefusal(evidence))
        }
    }

    private func fail(_ refusal: TLSRefusal) -> Step {
        failure = refusal
        input = ByteBuffer()
        return .failed(refusal)
    }

    private func evidence() -> TLSEvidence {
        TLSEvidence(
            role: context.role,
            minimumVersion: context.minimumVersion,
            hasCertificate: context.hasCertificate,
            verification: verdict,
            offeredVersion: SSL_client_version(ssl),
            firstBytes: firstBytes,
            // OpenSSL reads a record's header, dislikes its version and leaves the two bytes of the alert alone.
            unreadAlert: lastRecordType == 0x15 && input.readableBytes == 2 ? input.readableBytesView.last : nil,
            isEstablished: isEstablished
        )
    }

    /// A handshake record, or from a server an alert (RFC 8446, section 5.1).
    private func canStartTLS(_ byte: UInt8) -> Bool {
        switch context.role {
        case .server: byte == 0x16
        case .client: byte == 0x16 || byte == 0x15
        }
    }

    /// OpenSSL has refused the handshake already if this does not hold; but so much rests on it that we look again.
    private var isPeerVerified: Bool {
        let isValid = SSL_get_verify_result(ssl) == X509_V_OK
        let isThere = SSL_get0_peer_certificate(ssl) != nil
        return switch context.role {
        case .server(.off): true
        case .server(.optional): isValid
        case .server(.required), .client: isValid && isThere
        }
    }

    /// Makes the server prove that it is the one of that name or address.
    private func expect(_ serverName: String) -> Bool {
        let parameters = SSL_get0_param(ssl)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 { return true }
        ERR_clear_error()
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return SSL_set1_host(ssl, serverName) == 1 && COpenSSL_SSL_set_tlsext_host_name(ssl, serverName) == 1
    }

    /// Called by OpenSSL with its verdict on each certificate of the peer's chain; keeps the first bad one, for the words.
    static let certificateVerified: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, store in
        guard isGood != 1,
            let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()),
            let session = SSL_get_ex_data(OpaquePointer(ssl), 0)
        else { return isGood }
        let certificate = X509_STORE_CTX_get_current_cert(store).map { Certificate(sharing: $0) }
        let issuer = certificate.flatMap { X509_get_issuer_name($0.pointer) }
        Unmanaged<TLSSession>.fromOpaque(session).takeUnretainedValue().store(
            CertificateVerdict(
                code: X509_STORE_CTX_get_error(store),
                certificate: certificate,
                depth: X509_STORE_CTX_get_error_depth(store),
                namesake: COpenSSL_X509_STORE_CTX_first(store, issuer).map { Certificate(owning: $0) }
            )
        )
        return isGood
    }

    private func store(_ verdict: CertificateVerdict) {
        if self.verdict == nil { self.verdict = verdict }
    }
}

// MARK: The two buffers

extension TLSSession {
    func takeInput(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(bytes.count, input.readableBytes)
        guard count > 0 else { return 0 }
        if !isEstablished, bytes.count == recordHeaderLength { lastRecordType = input.readableBytesView.first }
        input.withUnsafeReadableBytes { bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
        input.moveReaderIndex(forwardBy: count)
        return count
    }

    func appendRecords(_ bytes: UnsafeRawBufferPointer) {
        records.writeBytes(bytes)
    }

    /// Lets go of the memory of an idle connection.
    private func releaseInput() {
        if !hasInput { input = ByteBuffer() }
    }
}
