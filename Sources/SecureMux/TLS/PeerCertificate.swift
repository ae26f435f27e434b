import COpenSSL

/// What is known of a peer by the certificate it showed and proved to hold the key of.
package struct PeerCertificate: Sendable, Hashable {
    /// The Modbus role of a certificate (Modbus/TCP Security, section 8.4).
    package enum Role: Sendable, Hashable {
        /// The certificate has no role extension: the null role is handed to the authorization.
        case none
        /// Exactly one role, and the whole string is its name.
        case one(String)
        /// More than one role extension, an empty one, or one that is no UTF8String: to be treated as the null role.
        case malformed
    }

    /// The subject in the form of RFC 2253, in UTF-8, with control characters escaped.
    package var subject: String
    /// The Modbus role.
    package var role: Role

    init(_ certificate: Certificate) {
        self.subject = certificate.subject
        self.role = Role(certificate)
    }
}

extension PeerCertificate.Role {
    ///
    private static let objectIdentifier = "1.3.6.1.4.1.50316.802.1"

    init(_ certificate: Certificate) {
        guard let identifier = OBJ_txt2obj(Self.objectIdentifier, 1) else {
            self = .malformed
            return
        }
        defer { ASN1_OBJECT_free(identifier) }
        let first = X509_get_ext_by_OBJ(certificate.pointer, identifier, -1)
        guard first >= 0 else {
            self = .none
            return
        }
        guard X509_get_ext_by_OBJ(certificate.pointer, identifier, first) < 0,
            let value = X509_EXTENSION_get_data(X509_get_ext(certificate.pointer, first)),
            let bytes = ASN1_STRING_get0_data(value)
        else {
            self = .malformed
            return
        }
        let encoding = UnsafeBufferPointer(start: bytes, count: Int(ASN1_STRING_length(value)))
        self = Self.name(inDER: encoding).map { .one($0) } ?? .malformed
    }

    /// The content of a DER-encoded UTF8String that is neither empty nor followed by anything.
    private static func name(inDER bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard bytes.count > 2, bytes[0] == 0x0C else { return nil }
        let content: Slice<UnsafeBufferPointer<UInt8>>
        if bytes[1] < 0x80 {
            content = bytes.dropFirst(2)
            guard content.count == Int(bytes[1]) else { return nil }
        } else {
            // DER's long form; no role is longer than 255 bytes.
            content = bytes.dropFirst(3)
            guard bytes[1] == 0x81, bytes[2] >= 0x80, content.count == Int(bytes[2]) else { return nil }
        }
        return String(validating: content, as: UTF8.self)
    }
}
