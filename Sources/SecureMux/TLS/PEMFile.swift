import COpenSSL

/// A file of certificates or a private key in PEM, and the setting that named it.
struct PEMFile {
    let path: String
    let setting: Setting

    /// All certificates of a system take a quarter of a megabyte.
    private static let longest = 4 << 20

    /// All certificates of the file, in their order; at least one.
    func certificates() throws(TLSConfigurationError) -> [Certificate] {
        let text = try text()
        // OpenSSL passes over it, and nobody would know that it is not trusted.
        if text.contains("TRUSTED CERTIFICATE") { throw wrongContent(.trustedCertificate, insteadOf: .certificate) }
        let file = try reader(text)
        defer { BIO_free(file) }
        var certificates: [Certificate] = []
        while let certificate = PEM_read_bio_X509(file, nil, nil, nil) {
            certificates.append(Certificate(owning: certificate))
        }
        let errors = OpenSSLError.takeQueue()
        guard errors.contains(where: { $0.library == ERR_LIB_PEM && $0.reason == PEM_R_NO_START_LINE }) else {
            throw broken("certificate", errors)
        }
        guard !certificates.isEmpty else { throw wrongContent(text.content, insteadOf: .certificate) }
        return certificates
    }

    /// The private key of the file; `passphraseSetting` is the one that gives the passphrase.
    func privateKey(
        passphrase: String?,
        passphraseSetting: Setting
    ) throws(TLSConfigurationError) -> (key: PrivateKey, isOpenToOthers: Bool) {
        let text = try text()
        if let cipher = text.legacyCipher, !isSupported(cipher) { throw oldEncryption(cipher) }
        let file = try reader(text)
        defer { BIO_free(file) }
        var request = PassphraseRequest(passphrase: Array((passphrase ?? "").utf8))
        let key = withUnsafeMutablePointer(to: &request) { PEM_read_bio_PrivateKey(file, nil, providePassphrase, $0) }
        let errors = OpenSSLError.takeQueue()
        if let key {
            return (PrivateKey(owning: key), text.isOpenToOthers)
        }
        guard request.asked else {
            // OpenSSL's errors do not tell the one from the other.
            guard text.content != .privateKey else { throw broken("private key", errors) }
            throw wrongContent(text.content, insteadOf: .privateKey)
        }
        if passphrase == nil {
            throw TLSConfigurationError(
                .passphraseMissing,
                file: path,
                "is encrypted and no passphrase was given",
                remedy: "name the file with its passphrase with \(passphraseSetting)"
            )
        }
        if errors.contains(where: { $0.library == ERR_LIB_EVP && $0.reason == COpenSSL_ERR_R_UNSUPPORTED() }) {
            throw oldEncryption(nil)
        }
        throw TLSConfigurationError(
            .passphraseWrong,
            file: path,
            "does not open with the passphrase given",
            remedy: "check the file named by \(passphraseSetting)"
        )
    }

    private func text() throws(TLSConfigurationError) -> PEMText {
        guard !path.isEmpty else {
            throw TLSConfigurationError(
                .unreadableFile,
                "the name given with \(setting) is empty",
                remedy: "give \(setting) a file that can be read"
            )
        }
        let file: RegularFile
        do {
            file = try RegularFile(path, atMost: Self.longest + 1)
        } catch {
            throw unreadable("\(error)")
        }
        guard file.bytes.count <= Self.longest else { throw unreadable("is longer than \(Self.longest >> 20) MiB") }
        return PEMText(file)
    }

    private func reader(_ text: PEMText) throws(TLSConfigurationError) -> OpaquePointer {
        ERR_clear_error()
        // Its own copy, which does not end with a scope.
        guard let memory = BIO_new(BIO_s_mem()) else { throw TLSConfigurationError(openSSL: OpenSSLError.takeQueue()) }
        BIO_write(memory, text.bytes, Int32(text.bytes.count))
        return memory
    }

    private func unreadable(_ problem: String) -> TLSConfigurationError {
        TLSConfigurationError(
            .unreadableFile,
            file: path,
            problem,
            remedy: "give \(setting) a file that can be read"
        )
    }

    private func wrongContent(_ content: PEMText.Content, insteadOf wanted: PEMText.Wanted) -> TLSConfigurationError {
        TLSConfigurationError(
            .wrongContent,
            file: path,
            "holds no \(wanted.rawValue) (\(content.words))",
            remedy: content.command(for: wanted, in: path).map { "\($0), and give \(setting) the new file" as Sentence }
                ?? "give \(setting) a PEM file that has it"
        )
    }

    private func broken(_ content: String, _ errors: [OpenSSLError]) -> TLSConfigurationError {
        TLSConfigurationError(
            .wrongContent,
            file: path,
            "has a broken \(content) (\(errors.map(\.description).joined(separator: ", ")))",
            remedy: "give \(setting) a file that is whole"
        )
    }

    private func oldEncryption(_ cipher: String?) -> TLSConfigurationError {
        let command = "openssl pkey -provider legacy -provider default -in \(path) -aes256 -out \(path).new"
        return TLSConfigurationError(
            .oldEncryption,
            file: path,
            "is encrypted in a way too weak for OpenSSL 3\(cipher.map { " (\($0))" } ?? "")",
            remedy: "encrypt it anew with \"\(command)\", and give \(setting) the new file"
        )
    }

    private func isSupported(_ cipher: String) -> Bool {
        let found = EVP_CIPHER_fetch(nil, cipher, nil)
        defer { EVP_CIPHER_free(found) }
        ERR_clear_error()
        return found != nil
    }
}

private struct PassphraseRequest {
    let passphrase: [UInt8]
    var asked = false
}

/// Answers OpenSSL's question for the passphrase, so that it never asks on the terminal.
private func providePassphrase(
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int32,
    forWriting: Int32,
    request: UnsafeMutableRawPointer?
) -> Int32 {
    guard let buffer, let request = request?.assumingMemoryBound(to: PassphraseRequest.self) else { return -1 }
    request.pointee.asked = true
    let passphrase = request.pointee.passphrase
    guard !passphrase.isEmpty, passphrase.count <= Int(size) else { return -1 }
    UnsafeMutableRawPointer(buffer).copyMemory(from: passphrase, byteCount: passphrase.count)
    return Int32(passphrase.count)
}
