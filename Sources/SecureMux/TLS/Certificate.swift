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

    /// How many bytes the subject takes in DER.
    var subjectLength: Int {
        Int(i2d_X509_NAME(X509_get_subject_name(pointer), nil))
    }

    /// The key that it is for; nil if that cannot be read.
    var publicKey: PublicKey? {
        X509_get0_pubkey(pointer).map(PublicKey.init(borrowing:))
    }

    /// Whether the other one is the same authority, renewed perhaps.
    func hasSameNameAndKey(as other: Certificate) -> Bool {
        guard X509_NAME_cmp(X509_get_subject_name(pointer), X509_get_subject_name(other.pointer)) == 0,
            let key = X509_get0_pubkey(pointer), let otherKey = X509_get0_pubkey(other.pointer)
        else { return false }
        return EVP_PKEY_eq(key, otherKey) == 1
    }

    /// Why it signs nothing that would be believed.
    enum FaultAsAuthority: String, CaseIterable {
        case saysSo = "its basicConstraints say CA:FALSE"
        case isOld = "it is of version 1"
        case saysNothing = "it has no basicConstraints"
        case mayNotSign = "its keyUsage lacks keyCertSign"
    }

    /// Why it signs nothing that would be believed; nil if it is an authority.
    var faultAsAuthority: FaultAsAuthority? {
        guard X509_check_ca(pointer) == 0 else { return nil }
        let flags = X509_get_extension_flags(pointer)
        if flags & UInt32(EXFLAG_BCONS) != 0 { return flags & UInt32(EXFLAG_CA) == 0 ? .saysSo : .mayNotSign }
        if flags & UInt32(EXFLAG_KUSAGE) != 0 { return .mayNotSign }
        return X509_get_version(pointer) < 2 ? .isOld : .saysNothing
    }

    /// Addresses that it has as DNS names, where nobody looks for an address (RFC 5280, section 4.2.1.6).
    var addressesAsNames: [String] {
        guard let names = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return [] }
        let stack = OpaquePointer(names)
        defer { GENERAL_NAMES_free(stack) }
        return (0..<OPENSSL_sk_num(stack)).compactMap { index in
            let name = OPENSSL_sk_value(stack, index)?.assumingMemoryBound(to: GENERAL_NAME.self).pointee
            guard let name, name.type == GEN_DNS, let text = name.d.dNSName, let bytes = ASN1_STRING_get0_data(text)
            else { return nil }
            let buffer = UnsafeBufferPointer(start: bytes, count: Int(ASN1_STRING_length(text)))
            guard let name = String(validating: buffer, as: UTF8.self), let address = a2i_IPADDRESS(name) else {
                ERR_clear_error()
                return nil
            }
            ASN1_OCTET_STRING_free(address)
            return name
        }
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

/// The public key of a certificate, for as long as that one lives.
struct PublicKey {
    private let pointer: OpaquePointer

    init(borrowing pointer: OpaquePointer) {
        self.pointer = pointer
    }

    /// Such as "EC" or "DSA".
    var kind: String {
        EVP_PKEY_get0_type_name(pointer).map { String(cString: $0) } ?? "unknown"
    }

    /// Whether the handshakes that we take part in can use it.
    var isForTLS: Bool {
        ["RSA", "RSA-PSS", "EC", "ED25519", "ED448"].contains(kind)
    }

    /// Such as "prime256v1", which is P-256; empty where there is none, or none with a name.
    var curve: String {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &length) == 1 else {
            ERR_clear_error()
            return ""
        }
        return String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Whether TLS 1.3 has the curve of an EC key (RFC 8446, section 4.2.3); nil for another one.
    var isOnCurveOfTLS13: Bool? {
        kind == "EC" ? ["prime256v1", "secp384r1", "secp521r1"].contains(curve) : nil
    }

    /// Whether an EC key spells its curve out (RFC 5480, section 2.1.1, forbids it).
    var hasExplicitParameters: Bool {
        var isExplicit: Int32 = 0
        let isKnown = EVP_PKEY_get_int_param(pointer, "decoded-from-explicit", &isExplicit) == 1
        ERR_clear_error()
        return isKnown && isExplicit == 1
    }
}
