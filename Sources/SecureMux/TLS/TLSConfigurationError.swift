/// Why a TLS configuration cannot be used: which file, what is wrong with it, and what to do about it.
package struct TLSConfigurationError: SentenceError, Hashable {
    /// What is wrong.
    package enum Kind: Sendable, Hashable {
        /// The file cannot be read, or there is none.
        case unreadableFile
        /// The file is not PEM, or holds something else than what was asked of it.
        case wrongContent
        /// The private key belongs to another certificate.
        case keyMismatch
        /// The private key is encrypted and no passphrase was given.
        case passphraseMissing
        /// The passphrase does not open the private key.
        case passphraseWrong
        /// The private key is encrypted in a way that OpenSSL 3 no longer knows.
        case oldEncryption
        /// The certificate's key is of a kind that no handshake we take part in can use.
        case unusableKey
        /// OpenSSL finds the certificate or its key too weak.
        case tooWeak
        /// Two settings contradict each other, or one that is needed is missing.
        case contradiction
        /// OpenSSL failed for a reason that has nothing to do with the configuration.
        case openSSL
    }

    /// What is wrong.
    package var kind: Kind
    /// The file at fault, where there is one.
    package var file: String?
    /// The whole story in one sentence: the file, what is wrong with it, and the remedy.
    package var sentence: Sentence

    init(_ kind: Kind, file: String? = nil, _ problem: String, remedy: Sentence) {
        self.kind = kind
        self.file = file
        self.sentence = "\(file.map { "\($0) " } ?? "")\(problem): \(remedy)"
    }

    init(openSSL errors: [OpenSSLError]) {
        let words = errors.map(\.description).joined(separator: ", ")
        self.init(.openSSL, "OpenSSL failed (\(words.isEmpty ? "without a reason" : words))", remedy: "see its version")
    }
}
