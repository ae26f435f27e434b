import COpenSSL

/// What a file that should be PEM holds (RFC 7468), in the form that OpenSSL reads, or what else it is.
struct PEMText {
    /// Without a byte order mark, and with line feeds at the ends of lines, whatever the editor made of them.
    let bytes: [UInt8]
    let isOpenToOthers: Bool
    /// The labels after BEGIN, in their order.
    private let labels: [String]

    private static let (lineFeed, carriageReturn): (UInt8, UInt8) = (0x0A, 0x0D)

    init(_ file: RegularFile) {
        var bytes = file.bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        // Not in DER.
        if bytes.first != 0x30 {
            for index in bytes.indices where bytes[index] == Self.carriageReturn {
                let next = index + 1
                if next == bytes.endIndex || bytes[next] != Self.lineFeed { bytes[index] = Self.lineFeed }
            }
        }
        self.bytes = bytes
        isOpenToOthers = file.isOpenToOthers
        labels = Self.lines(of: bytes).compactMap { line in
            Self.text(line, between: "-----BEGIN ", and: "-")
        }
    }

    /// Whether there is something under this label.
    func contains(_ label: String) -> Bool { labels.contains(label) }

    /// The cipher of a private key that is encrypted as before PKCS#8, such as "DES-CBC" (RFC 1421, section 4.6.1.3).
    var legacyCipher: String? {
        Self.lines(of: bytes).lazy.compactMap { Self.text($0, between: "DEK-Info: ", and: ",") }.first
    }

    /// What it holds, or what it is instead.
    var content: Content {
        if bytes.isEmpty { return .nothing }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) || bytes.prefix(2).contains(0) {
            return .utf16
        }
        if let content = labels.lazy.compactMap(Content.init(label:)).min(by: { $0.rank < $1.rank }) { return content }
        if let label = labels.first { return .other(label) }
        return bytes[0] == 0x30 ? .der(bytes) : .noPEM
    }

    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: lineFeed)
    }

    private static func text(_ line: ArraySlice<UInt8>, between start: String, and end: Character) -> String? {
        guard line.starts(with: start.utf8) else { return nil }
        let rest = String(decoding: line.dropFirst(start.utf8.count), as: UTF8.self)
        return rest.firstIndex(of: end).map { String(rest[..<$0]) }
    }
}

extension PEMText {
    /// What one looks for in a file.
    enum Wanted: String {
        case certificate
        case privateKey = "private key"
    }

    /// What there is.
    enum Content: Hashable {
        case nothing
        case utf16
        case privateKey
        case openSSHKey
        case publicKey
        case certificate
        case trustedCertificate
        case certificateRequest
        case revocationList
        case pkcs7
        case other(String)
        case derCertificate
        case derPrivateKey
        case derPKCS7
        case derPKCS12
        case der
        case noPEM

        /// To stand in parentheses after what there is not.
        var words: String {
            switch self {
            case .nothing: "it is empty"
            case .utf16: "it is UTF-16"
            case .privateKey: "it holds a private key"
            case .openSSHKey: "it holds a private key in the form of OpenSSH"
            case .publicKey: "it holds a public key"
            case .certificate: "it holds a certificate"
            case .trustedCertificate: "it holds a certificate with trust settings, TRUSTED CERTIFICATE"
            case .certificateRequest: "it holds a certificate request"
            case .revocationList: "it holds a revocation list"
            case .pkcs7: "it holds certificates in PKCS#7"
            case .other(let label): "it holds \(label)"
            case .derCertificate: "it is a certificate in DER"
            case .derPrivateKey: "it is a private key in DER"
            case .derPKCS7: "it holds certificates in PKCS#7, in DER"
            case .derPKCS12: "it is PKCS#12, also called PFX"
            case .der: "it seems to be DER"
            case .noPEM: "it is not PEM"
            }
        }

        /// What makes of it what one looks for; nil where nothing does.
        func command(for wanted: Wanted, in path: String) -> String? {
            switch (self, wanted) {
            case (.utf16, _): "convert it with \"iconv -f UTF-16 -t UTF-8 \(path) > \(path).pem\""
            case (.openSSHKey, .privateKey): "copy it and convert the copy with \"ssh-keygen -p -m PKCS8 -f COPY\""
            case (.trustedCertificate, .certificate): "convert it with \"openssl x509 -in \(path) -out \(path).pem\""
            case (.pkcs7, .certificate):
                "convert it with \"openssl pkcs7 -print_certs -in \(path) -out \(path).pem\""
            case (.derPKCS7, .certificate):
                "convert it with \"openssl pkcs7 -inform der -print_certs -in \(path) -out \(path).pem\""
            case (.derCertificate, .certificate):
                "convert it with \"openssl x509 -inform der -in \(path) -out \(path).pem\""
            case (.derPrivateKey, .privateKey):
                "convert it with \"openssl pkey -inform der -in \(path) -out \(path).pem\""
            case (.derPKCS12, .certificate): "convert it with \"openssl pkcs12 -nokeys -in \(path) -out \(path).pem\""
            case (.derPKCS12, .privateKey): "convert it with \"openssl pkcs12 -nocerts -in \(path) -out \(path).pem\""
            default: nil
            }
        }
    }
}

extension PEMText.Content {
    fileprivate init?(label: String) {
        switch label {
        case "OPENSSH PRIVATE KEY": self = .openSSHKey
        case _ where label.hasSuffix("PRIVATE KEY"): self = .privateKey
        case "CERTIFICATE", "X509 CERTIFICATE": self = .certificate
        case "TRUSTED CERTIFICATE": self = .trustedCertificate
        case _ where label.hasSuffix("CERTIFICATE REQUEST"): self = .certificateRequest
        case "PKCS7", "CMS": self = .pkcs7
        case "X509 CRL": self = .revocationList
        case _ where label.hasSuffix("PUBLIC KEY"): self = .publicKey
        default: return nil
        }
    }

    /// Of several things the one of the least rank is named.
    fileprivate var rank: Int {
        switch self {
        case .openSSHKey: 0
        case .privateKey: 1
        case .certificate: 2
        default: 3
        }
    }

    /// What a file is that begins like DER, a SEQUENCE.
    fileprivate static func der(_ bytes: [UInt8]) -> Self {
        defer { ERR_clear_error() }
        return bytes.withUnsafeBufferPointer { bytes in
            func isSomething<Parsed>(
                _ parse: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> Parsed?,
                _ free: (Parsed?) -> Void
            ) -> Bool {
                var start = bytes.baseAddress
                let parsed = parse(&start, bytes.count)
                free(parsed)
                return parsed != nil
            }
            if isSomething({ d2i_X509(nil, $0, $1) }, X509_free) { return .derCertificate }
            if isSomething({ d2i_AutoPrivateKey(nil, $0, $1) }, EVP_PKEY_free) { return .derPrivateKey }
            if isSomething({ d2i_PKCS12(nil, $0, $1) }, PKCS12_free) { return .derPKCS12 }
            if isSomething({ d2i_PKCS7(nil, $0, $1) }, PKCS7_free) { return .derPKCS7 }
            // An encrypted one.
            if isSomething({ d2i_X509_SIG(nil, $0, $1) }, X509_SIG_free) { return .derPrivateKey }
            return .der
        }
    }
}
