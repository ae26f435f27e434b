import COpenSSL
import Foundation
import SecureMux

/// Both ends' contexts, with one certificate that is made for this run and signed by itself.
///
/// Ours are read from files, which are there for as long as that takes.
struct ThrowAwayTLS: Sendable {
    /// One for each thing that a server may want of its clients.
    let servers: [TLSContext]
    let client: TLSContext

    /// Nil where OpenSSL or the folder of temporary files fails.
    static let shared: ThrowAwayTLS? = try? ThrowAwayTLS()

    private struct Failed: Error {}

    private init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (certificateFile, keyFile) = (folder.appending(path: "crt").path, folder.appending(path: "key").path)
        try Self.makeCertificate(in: certificateFile, key: keyFile)
        servers = try [ClientCertificates.off, .optional, .required].map { wanted in
            try TLSContext(
                server: TLSServerConfiguration(
                    certificateChainFile: certificateFile,
                    privateKeyFile: keyFile,
                    minimumVersion: .v1_2,
                    clientCertificates: wanted,
                    clientCAFile: wanted == .off ? nil : certificateFile
                )
            )
        }
        client = try TLSContext(
            client: TLSClientConfiguration(
                caFile: certificateFile,
                serverName: "localhost",
                certificateChainFile: certificateFile,
                privateKeyFile: keyFile
            )
        )
    }

    private static func makeCertificate(in certificateFile: String, key keyFile: String) throws {
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        defer { EVP_PKEY_free(key) }
        let certificate = X509_new()
        defer { X509_free(certificate) }
        let name = X509_get_subject_name(certificate)
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &key) == 1,
            X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -86_400) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), 86_400 * 365) != nil,
            X509_set_pubkey(certificate, key) == 1,
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "fuzz", -1, -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { throw Failed() }
        let names = X509V3_EXT_nconf(nil, nil, "subjectAltName", "DNS:localhost")
        defer { X509_EXTENSION_free(names) }
        guard names != nil, X509_add_ext(certificate, names, -1) == 1,
            X509_sign(certificate, key, EVP_get_digestbyname("SHA256")) > 0
        else { throw Failed() }
        try write(to: certificateFile) { PEM_write_bio_X509($0, certificate) }
        try write(to: keyFile) { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }
    }

    private static func write(to path: String, _ body: (OpaquePointer) -> Int32) throws {
        guard let file = BIO_new_file(path, "w") else { throw Failed() }
        defer { BIO_free(file) }
        guard body(file) == 1 else { throw Failed() }
    }
}
