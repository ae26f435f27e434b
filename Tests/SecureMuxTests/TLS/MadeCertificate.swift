import COpenSSL
import Foundation

/// A certificate made to measure, for what the development certificates lack; its files lie beside theirs.
struct MadeCertificate {
    enum Key {
        case p256
        case rsa(bits: Int32)
    }

    struct Recipe {
        var name = "made to measure"
        var key = Key.p256
        /// How many authorities stand between it and the root.
        var intermediates = 0
        /// Seconds from now.
        var validFrom = -3600
        var validFor = 7200
        var digest = "SHA256"
        /// In the words of openssl.cnf.
        var extensions = [("basicConstraints", "critical,CA:FALSE"), ("extendedKeyUsage", "clientAuth")]

        static func authority(_ name: String) -> Recipe {
            Recipe(name: name, extensions: [("basicConstraints", "critical,CA:TRUE")])
        }
    }

    /// The certificate, then the authorities between it and the root.
    let certificateFile: String
    let keyFile: String
    /// The authority that signed it; the certificate itself when it is self-signed.
    let caFile: String

    /// Makes one, signed by an authority made for it.
    init(_ change: (inout Recipe) -> Void) throws {
        var recipe = Recipe()
        change(&recipe)
        let root = try Signed(.authority("authority"), by: nil)
        var chain: [Signed] = []
        for number in 0..<recipe.intermediates {
            chain.insert(try Signed(.authority("intermediate \(number)"), by: chain.first ?? root), at: 0)
        }
        try self.init(Signed(recipe, by: chain.first ?? root), chain, caFile: root.writeCertificate())
    }

    /// Makes one that is signed by itself.
    static func selfSigned() throws -> MadeCertificate {
        let signed = try Signed(Recipe(), by: nil)
        return try MadeCertificate(signed, [], caFile: signed.writeCertificate())
    }

    private init(_ signed: Signed, _ chain: [Signed], caFile: String) throws {
        certificateFile = try signed.writeCertificate(followedBy: chain)
        keyFile = try signed.writeKey()
        self.caFile = caFile
    }
}

private final class Signed {
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    init(_ recipe: MadeCertificate.Recipe, by authority: Signed?) throws {
        key = try Self.makeKey(recipe.key)
        certificate = try Self.unwrap(X509_new())
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...Int(Int32.max)))
        X509_gmtime_adj(X509_getm_notBefore(certificate), recipe.validFrom)
        X509_gmtime_adj(X509_getm_notAfter(certificate), recipe.validFrom + recipe.validFor)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        let bytes = Array(recipe.name.utf8)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, Int32(bytes.count), -1, 0)
        X509_set_issuer_name(certificate, X509_get_subject_name(authority?.certificate ?? certificate))
        for (name, value) in recipe.extensions {
            let made = try Self.unwrap(X509V3_EXT_nconf(nil, nil, name, value))
            X509_add_ext(certificate, made, -1)
            X509_EXTENSION_free(made)
        }
        try Self.unwrap(X509_sign(certificate, authority?.key ?? key, EVP_get_digestbyname(recipe.digest)))
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    func writeCertificate(followedBy chain: [Signed] = []) throws -> String {
        try write { file in
            ([self] + chain).allSatisfy { PEM_write_bio_X509(file, $0.certificate) == 1 } ? 1 : 0
        }
    }

    func writeKey() throws -> String {
        try write { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private func write(_ body: (OpaquePointer) -> Int32) throws -> String {
        let path = DevelopmentCertificates.folder.appendingPathComponent("\(UUID().uuidString).pem").path
        let file = try Self.unwrap(BIO_new_file(path, "w"))
        defer { BIO_free(file) }
        try Self.unwrap(body(file))
        return path
    }

    private static func makeKey(_ kind: MadeCertificate.Key) throws -> OpaquePointer {
        let name = if case .p256 = kind { "EC" } else { "RSA" }
        let context = try unwrap(EVP_PKEY_CTX_new_from_name(nil, name, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try unwrap(EVP_PKEY_keygen_init(context))
        switch kind {
        case .p256: try unwrap(EVP_PKEY_CTX_set_group_name(context, "P-256"))
        case .rsa(let bits): try unwrap(EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits))
        }
        var key: OpaquePointer?
        try unwrap(EVP_PKEY_generate(context, &key))
        return try unwrap(key)
    }

    private struct OpenSSLFailed: Error {
        let code: UInt
    }

    private static func unwrap(_ pointer: OpaquePointer?) throws -> OpaquePointer {
        guard let pointer else { throw OpenSSLFailed(code: ERR_get_error()) }
        return pointer
    }

    private static func unwrap(_ result: Int32) throws {
        guard result > 0 else { throw OpenSSLFailed(code: ERR_get_error()) }
    }
}
