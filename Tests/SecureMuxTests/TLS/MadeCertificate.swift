import COpenSSL
import Foundation

/// A certificate made to measure, for what the development certificates lack; its files lie beside theirs.
struct MadeCertificate {
    enum Key {
        case p256
        case curve(String)
        case rsa(bits: Int32)
    }

    struct Recipe {
        var name = "made to measure"
        var version = 3
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
    /// The authorities between, each in a file of its own, the lowest first.
    let intermediateFiles: [String]
    /// Further certificates of the authority's name and key.
    let twinFiles: [String]

    /// Makes one, signed by an authority made for it, of which there are further certificates with the same key.
    init(
        signedBy authority: Recipe = .authority("authority"),
        twins: [Recipe] = [],
        _ change: (inout Recipe) -> Void = { _ in }
    ) throws {
        var recipe = Recipe()
        change(&recipe)
        let root = try Signed(authority, by: nil)
        var chain: [Signed] = []
        for number in 0..<recipe.intermediates {
            chain.insert(try Signed(.authority("intermediate \(number)"), by: chain.first ?? root), at: 0)
        }
        let signed = try Signed(recipe, by: chain.first ?? root)
        certificateFile = try signed.writeCertificate(followedBy: chain)
        keyFile = try signed.writeKey()
        caFile = try root.writeCertificate()
        intermediateFiles = try chain.map { try $0.writeCertificate() }
        twinFiles = try twins.map { try Signed($0, by: nil, key: root).writeCertificate() }
    }

    /// Makes one that is signed by itself.
    static func selfSigned(_ change: (inout Recipe) -> Void = { _ in }) throws -> MadeCertificate {
        var recipe = Recipe()
        change(&recipe)
        return try MadeCertificate(Signed(recipe, by: nil))
    }

    private init(_ signed: Signed) throws {
        certificateFile = try signed.writeCertificate()
        keyFile = try signed.writeKey()
        caFile = certificateFile
        intermediateFiles = []
        twinFiles = []
    }
}

private final class Signed {
    private let certificate: OpaquePointer
    private let key: OpaquePointer

    /// Made with a key of its own, or with that of another one.
    init(_ recipe: MadeCertificate.Recipe, by authority: Signed?, key other: Signed? = nil) throws {
        if let other { EVP_PKEY_up_ref(other.key) }
        key = try other?.key ?? Self.makeKey(recipe.key)
        certificate = try Self.unwrap(X509_new())
        X509_set_version(certificate, recipe.version - 1)
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
        let path = try write { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    private func write(_ body: (OpaquePointer) -> Int32) throws -> String {
        let path = DevelopmentCertificates.folder.appendingPathComponent("\(UUID().uuidString).pem").path
        let file = try Self.unwrap(BIO_new_file(path, "w"))
        defer { BIO_free(file) }
        try Self.unwrap(body(file))
        return path
    }

    private static func makeKey(_ kind: MadeCertificate.Key) throws -> OpaquePointer {
        let name = if case .rsa = kind { "RSA" } else { "EC" }
        let context = try unwrap(EVP_PKEY_CTX_new_from_name(nil, name, nil))
        defer { EVP_PKEY_CTX_free(context) }
        try unwrap(EVP_PKEY_keygen_init(context))
        switch kind {
        case .p256: try unwrap(EVP_PKEY_CTX_set_group_name(context, "P-256"))
        case .curve(let name): try unwrap(EVP_PKEY_CTX_set_group_name(context, name))
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
