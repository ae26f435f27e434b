import COpenSSL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of certificates or a private key in PEM, and the option of the command line that named it.
struct PEMFile {
    let path: String
    let option: String

    /// All certificates of the file, in their order; at least one.
    func certificates() throws(TLSConfigurationError) -> [Certificate] {
        let file = try open()
        defer { BIO_free(file) }
        var certificates: [Certificate] = []
        while let certificate = PEM_read_bio_X509(file, nil, nil, nil) {
            certificates.append(Certificate(owning: certificate))
        }
        let errors = OpenSSLError.takeQueue()
        try check(errors)
        guard errors.contains(where: { $0.library == ERR_LIB_PEM && $0.reason == PEM_R_NO_START_LINE }) else {
            throw broken("certificate", errors)
        }
        guard !certificates.isEmpty else { throw try wrongContent("holds no certificate\(content().words)") }
        return certificates
    }

    /// The private key of the file; `passphraseOption` names the option that gives the passphrase.
    func privateKey(
        passphrase: String?,
        passphraseOption: String
    ) throws(TLSConfigurationError) -> PrivateKey {
        let file = try open()
        defer { BIO_free(file) }
        var request = PassphraseRequest(passphrase: Array((passphrase ?? "").utf8))
        let key = withUnsafeMutablePointer(to: &request) { PEM_read_bio_PrivateKey(file, nil, providePassphrase, $0) }
        let errors = OpenSSLError.takeQueue()
        if let key {
            return PrivateKey(owning: key)
        }
        try check(errors)
        guard request.asked else {
            // OpenSSL's errors do not tell the one from the other.
            let content = try content()
            guard content != .privateKey else { throw broken("private key", errors) }
            throw wrongContent("holds no private key\(content.words)")
        }
        if passphrase == nil {
            throw TLSConfigurationError(
                .passphraseMissing,
                file: path,
                "is encrypted and no passphrase was given",
                remedy: "name the file with its passphrase with \(passphraseOption)"
            )
        }
        throw TLSConfigurationError(
            .passphraseWrong,
            file: path,
            "does not open with the passphrase given",
            remedy: "check the file named by \(passphraseOption)"
        )
    }

    private func open() throws(TLSConfigurationError) -> OpaquePointer {
        guard !path.isEmpty else {
            throw TLSConfigurationError(
                .unreadableFile,
                "the name given with \(option) is empty",
                remedy: "give \(option) a file that can be read"
            )
        }
        ERR_clear_error()
        if let file = BIO_new_file(path, "r") {
            return file
        }
        let errors = OpenSSLError.takeQueue()
        try check(errors)
        throw TLSConfigurationError(openSSL: errors)
    }

    /// Throws what the operating system said about the file, if it said something.
    private func check(_ errors: [OpenSSLError]) throws(TLSConfigurationError) {
        guard let error = errors.first(where: { $0.library == ERR_LIB_SYS }) else { return }
        let problem =
            switch error.reason {
            case ENOENT: "does not exist"
            case EACCES: "may not be read by this user"
            case EISDIR: "is a folder"
            default: "cannot be read (\(String(cString: strerror(error.reason))))"
            }
        throw TLSConfigurationError(
            .unreadableFile,
            file: path,
            problem,
            remedy: "give \(option) a file that can be read"
        )
    }

    private func wrongContent(_ problem: String) -> TLSConfigurationError {
        TLSConfigurationError(.wrongContent, file: path, problem, remedy: "give \(option) a PEM file that has it")
    }

    private func broken(_ content: String, _ errors: [OpenSSLError]) -> TLSConfigurationError {
        TLSConfigurationError(
            .wrongContent,
            file: path,
            "has a broken \(content) (\(errors.map(\.description).joined(separator: ", ")))",
            remedy: "give \(option) a file that is whole"
        )
    }

    /// What the file seems to hold, whatever was expected of it.
    private func content() throws(TLSConfigurationError) -> Content {
        let file = try open()
        defer { BIO_free(file) }
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = Int(BIO_read(file, &bytes, Int32(bytes.count)))
        try check(OpenSSLError.takeQueue())
        guard count > 0 else { return .nothing }
        // A DER file starts with a SEQUENCE of more than 127 bytes.
        if bytes[0] == 0x30, bytes[1] & 0x80 != 0 {
            return .der
        }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        // Not `text.contains(words)`, which would bring along all of regular expressions: 1 MB of the binary.
        func holds(_ words: String) -> Bool { text.indices.contains { text[$0...].hasPrefix(words) } }
        if holds("PRIVATE KEY-----") { return .privateKey }
        if holds("CERTIFICATE REQUEST-----") { return .certificateRequest }
        if holds("CERTIFICATE-----") { return .certificate }
        return .noPEM
    }
}

/// What a file seems to hold.
private enum Content {
    case nothing
    case der
    case privateKey
    case certificateRequest
    case certificate
    case noPEM

    /// To stand behind what it does not hold.
    var words: String {
        switch self {
        case .nothing: " (it is empty)"
        case .der: " in PEM (it seems to be DER: convert it with \"openssl x509\" or \"openssl pkey\" and -inform der)"
        case .privateKey: " (it holds a private key)"
        case .certificateRequest: " (it holds a certificate request)"
        case .certificate: " (it holds a certificate)"
        case .noPEM: " (it is not PEM)"
        }
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
