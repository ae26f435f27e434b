import COpenSSL
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
    /// The number of the alert that the peer sent in clear, in a record that OpenSSL did not want.
    var unreadAlert: UInt8?
    /// Whether the handshake was complete.
    var isEstablished = false

    /// Whether the peer's first record is one of TLS.
    var beginsWithTLS: Bool {
        let bytes = Array(firstBytes.readableBytesView.prefix(5))
        guard bytes.count >= 2, (0x14...0x17).contains(bytes[0]), bytes[1] == 3 else { return false }
        // A handshake record is never empty (RFC 8446, section 5.1), and the header of a Modbus message can look like one.
        return bytes.count < 5 || bytes[3] != 0 || bytes[4] != 0
    }
}

/// Why a certificate did not pass verification.
struct CertificateVerdict {
    /// One of OpenSSL's `X509_V_ERR_` codes.
    var code: Int32
    /// The certificate at fault, which may be one further up the chain.
    var certificate: Certificate?
    /// How far up the chain: 0 is the peer's own.
    var depth: Int32
    /// The first authority that we trust under the issuer's name, where it does not count as the issuer.
    var namesake: Certificate?

    /// Whether that one may not sign, and would count otherwise.
    var mayNamesakeNotSign: Bool {
        guard let certificate, let namesake else { return false }
        return X509_check_issued(namesake.pointer, certificate.pointer) == X509_V_ERR_KEYUSAGE_NO_CERTSIGN
    }
}
