import COpenSSL

/// An X.509 certificate (RFC 5280); owns a reference to OpenSSL's.
final class Certificate {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// Takes a reference of its own.
    convenience init(sharing pointer: OpaquePointer) {
        X509_up_ref(pointer)
        self.init(owning: pointer)
    }

    deinit {
        X509_free(pointer)
    }

    /// The subject in the form of RFC 2253, in readable UTF-8, cut to a length fit for a log line.
    var subject: String {
        Self.text(of: X509_get_subject_name(pointer))
    }

    /// The issuer, written like the subject.
    var issuer: String {
        Self.text(of: X509_get_issuer_name(pointer))
    }

    var notBefore: String {
        Self.text(of: X509_get0_notBefore(pointer))
    }

    var notAfter: String {
        Self.text(of: X509_get0_notAfter(pointer))
    }

    var isExpired: Bool {
        X509_cmp_current_time(X509_get0_notAfter(pointer)) < 0
    }

    var isNotYetValid: Bool {
        X509_cmp_current_time(X509_get0_notBefore(pointer)) > 0
    }

    var isSelfIssued: Bool {
        X509_NAME_cmp(X509_get_subject_name(pointer), X509_get_issuer_name(pointer)) == 0
    }

    private static let longestName = 256

    private static func text(of name: OpaquePointer?) -> String {
        guard let name, let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        X509_NAME_print_ex(bio, name, 0, COpenSSL_XN_FLAG_READABLE())
        var bytes = [UInt8](repeating: 0, count: min(BIO_ctrl_pending(bio), longestName))
        let count = BIO_read(bio, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(max(0, Int(count))), as: UTF8.self)
    }

    /// A point in time as "2024-02-01 00:00:00 UTC".
    private static func text(of time: UnsafePointer<ASN1_TIME>?) -> String {
        guard let generalized = ASN1_TIME_to_generalizedtime(time, nil) else { return "an unreadable date" }
        defer { ASN1_GENERALIZEDTIME_free(generalized) }
        // YYYYMMDDHHMMSSZ (RFC 5280, section 4.1.2.5.2).
        guard ASN1_STRING_length(generalized) == 15 else { return "an unreadable date" }
        let digits = UnsafeBufferPointer(start: ASN1_STRING_get0_data(generalized), count: 14).map {
            Character(UnicodeScalar($0))
        }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return "\(part(0..<4))-\(part(4..<6))-\(part(6..<8)) \(part(8..<10)):\(part(10..<12)):\(part(12..<14)) UTC"
    }
}

/// A private key; owns a reference to OpenSSL's.
final class PrivateKey {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(pointer)
    }
}
