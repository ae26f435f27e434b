import NIOCore

/// What a session knows when it fails.
struct TLSEvidence {
    var role: TLSContext.Role
    var minimumVersion: TLSVersion
    /// Whether we have a certificate to show.
    var hasCertificate: Bool
    /// What OpenSSL left in its error queue, oldest first.
    var errors: [OpenSSLError] = []
    /// The verdict on the peer's certificate, when there is a bad one.
    var verification: CertificateVerdict?
    /// The newest version in the client's hello, as on the wire: 0x0302 is TLS 1.1; 0 when there was none.
    var offeredVersion: Int32 = 0
    /// The first bytes of the peer.
    var firstBytes = ByteBuffer()
}

/// Why a certificate did not pass verification.
struct CertificateVerdict {
    /// One of OpenSSL's `X509_V_ERR_` codes.
    var code: Int32
    /// The certificate at fault, which may be one further up the chain.
    var certificate: Certificate?
    /// How far up the chain: 0 is the peer's own.
    var depth: Int32
}
