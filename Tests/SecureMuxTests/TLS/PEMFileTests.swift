import Foundation
import Testing

@testable import SecureMux

/// Keys and certificates as they lie about.
@Suite struct PEMFileTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    private func warnings(_ change: (inout TLSServerConfiguration) -> Void) throws -> [String] {
        var configuration = certificates.server(.required)
        change(&configuration)
        return try TLSContext(server: configuration).warnings.map(\.description)
    }

    private func error(_ change: (inout TLSServerConfiguration) -> Void) -> TLSConfigurationError? {
        #expect(throws: TLSConfigurationError.self) { try warnings(change) }
    }

    private func file(_ bytes: some Sequence<UInt8>) throws -> String {
        let path = certificates["\(UUID().uuidString).pem"]
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    private func bytes(of name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: certificates[name])))
    }

    // MARK: What works

    @Test(arguments: ["server.key", "server.crt"])
    func `line ends and byte order marks of any editor are no harm`(name: String) throws {
        let text = try bytes(of: name)
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let lines = text.split(separator: 10, omittingEmptySubsequences: false)
        let withReturns = Array(lines.joined(separator: [13, 10]))
        let returnsOnly = text.map { $0 == 10 ? 13 : $0 }
        let forms: [[UInt8]] = [byteOrderMark + text, withReturns, returnsOnly, byteOrderMark + withReturns]
        for form in forms {
            let path = try file(form)
            let warnings = try warnings {
                if name == "server.key" { $0.privateKeyFile = path } else { $0.certificateChainFile = path }
            }
            #expect(warnings == [])
        }
    }

    @Test func `a key and its chain may be in one file, in any order`() throws {
        let (key, chain) = (try bytes(of: "server.key"), try bytes(of: "server.crt"))
        for both in [key + chain, chain + key] {
            let path = try file(both)
            #expect(try warnings { ($0.certificateChainFile, $0.privateKeyFile) = (path, path) } == [])
        }
    }

    @Test func `keys are read as openssl writes them, whatever stands around them`() async throws {
        let name = UUID().uuidString
        let made = try await certificates.shell(
            """
            umask 077 && openssl ecparam -name prime256v1 -genkey -out \(name).ec.key \
            && openssl req -new -x509 -key \(name).ec.key -subj /CN=a -days 2 -out \(name).ec.crt \
            && openssl pkcs12 -export -in \(name).ec.crt -inkey \(name).ec.key -passout pass:secret -out \(name).p12 \
            && openssl pkcs12 -in \(name).p12 -passin pass:secret -passout pass:secret -out \(name).bag \
            && openssl ec -in \(name).ec.key -des3 -passout pass:secret -out \(name).des3
            """
        )
        try #require(made.status == 0, "\(made.output)")
        #expect(try bytes(of: "\(name).ec.key").starts(with: "-----BEGIN EC PARAMETERS".utf8))
        #expect(try bytes(of: "\(name).bag").starts(with: "Bag Attributes".utf8))
        for key in ["ec.key", "bag", "des3"] {
            _ = try warnings {
                $0.certificateChainFile = certificates["\(name).\(key == "bag" ? "bag" : "ec.crt")"]
                $0.privateKeyFile = certificates["\(name).\(key)"]
                $0.privateKeyPassphrase = "secret"
            }
        }
    }

    // MARK: What is named

    /// The folder of a key and its certificate, made once.
    private static let rsa = Task {
        let folder = UUID().uuidString
        let made = try await DevelopmentCertificates.made().shell(
            """
            umask 077 && mkdir \(folder) && cd \(folder) && openssl genrsa -out rsa.key 2048 \
            && openssl req -new -x509 -key rsa.key -subj /CN=a -days 2 -addext extendedKeyUsage=serverAuth -out rsa.crt
            """
        )
        try #require(made.status == 0, "\(made.output)")
        return folder
    }

    /// A file that cannot be used as it is.
    struct Foreign: CustomTestStringConvertible {
        let testDescription: String
        /// Makes FILE from server.key and the first certificate, in rsa.key and rsa.crt.
        let making: String
        let isKey: Bool
        let words: String
        /// What makes the command that is named ask nothing.
        var answers = ""
    }

    private static let foreign = [
        Foreign(
            testDescription: "a traditional key with DES",
            making: "openssl rsa -in rsa.key -traditional -des -provider legacy -provider default -passout pass:secret "
                + "-out FILE",
            isKey: true,
            words: "is encrypted in a way too weak for OpenSSL 3 (DES-CBC)",
            answers: "-passin pass:secret -passout pass:secret"
        ),
        Foreign(
            testDescription: "a PKCS#8 key with DES",
            making: "openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in rsa.key "
                + "-passout pass:secret -out FILE",
            isKey: true,
            words: "is encrypted in a way too weak for OpenSSL 3",
            answers: "-passin pass:secret -passout pass:secret"
        ),
        Foreign(
            testDescription: "a key in DER",
            making: "openssl pkey -in rsa.key -outform der -out FILE",
            isKey: true,
            words: "(it is a private key in DER)"
        ),
        Foreign(
            testDescription: "a key in PKCS#12",
            making: "openssl pkcs12 -export -in rsa.crt -inkey rsa.key -passout pass:secret -out FILE",
            isKey: true,
            words: "(it is PKCS#12, also called PFX)",
            answers: "-passin pass:secret -passout pass:secret"
        ),
        Foreign(
            testDescription: "a certificate in PKCS#12",
            making: "openssl pkcs12 -export -in rsa.crt -inkey rsa.key -passout pass:secret -out FILE",
            isKey: false,
            words: "(it is PKCS#12, also called PFX)",
            answers: "-passin pass:secret"
        ),
        Foreign(
            testDescription: "a certificate in DER",
            making: "openssl x509 -in rsa.crt -outform der -out FILE",
            isKey: false,
            words: "(it is a certificate in DER)"
        ),
        Foreign(
            testDescription: "a certificate in PKCS#7",
            making: "openssl crl2pkcs7 -nocrl -certfile rsa.crt -out FILE",
            isKey: false,
            words: "(it holds certificates in PKCS#7)"
        ),
        Foreign(
            testDescription: "a certificate in PKCS#7, in DER",
            making: "openssl crl2pkcs7 -nocrl -certfile rsa.crt -outform der -out FILE",
            isKey: false,
            words: "(it holds certificates in PKCS#7, in DER)"
        ),
        Foreign(
            testDescription: "a certificate with trust settings",
            making: "openssl x509 -in rsa.crt -trustout -out FILE",
            isKey: false,
            words: "TRUSTED CERTIFICATE"
        ),
        Foreign(
            testDescription: "UTF-16",
            making: "iconv -f UTF-8 -t UTF-16 rsa.crt > FILE",
            isKey: false,
            words: "(it is UTF-16)"
        ),
    ]

    @Test(arguments: foreign)
    func `what cannot be used is named, and the command that mends it does`(_ foreign: Foreign) async throws {
        let (name, folder) = (UUID().uuidString, try await Self.rsa.value)
        let making = foreign.making.replacingOccurrences(of: "FILE", with: name)
        let made = try await certificates.shell("umask 077 && cd \(folder) && \(making)")
        try #require(made.status == 0, "\(made.output)")
        func configure(_ configuration: inout TLSServerConfiguration, _ file: String) {
            configuration.certificateChainFile = certificates["\(folder)/\(foreign.isKey ? "rsa.crt" : file)"]
            configuration.privateKeyFile = certificates["\(folder)/\(foreign.isKey ? file : "rsa.key")"]
            configuration.privateKeyPassphrase = "secret"
        }
        let words = try #require(error { configure(&$0, name) }).description
        #expect(words.contains(foreign.words), "\(words)")
        #expect(words.hasSuffix("give \(foreign.isKey ? "'tls-key'" : "'tls-certificate'") the new file"))
        let command = try #require(words.split(separator: "\"").dropFirst().first)
        let mended = try await certificates.shell("umask 077 && \(command) \(foreign.answers)")
        #expect(mended.status == 0, "\(mended.output)")
        let output = foreign.words.contains("too weak") ? "\(name).new" : "\(name).pem"
        #expect(try warnings { configure(&$0, output) } == [])
    }

    @Test(
        arguments: [
            ("OPENSSH PRIVATE KEY", "in the form of OpenSSH"), ("PUBLIC KEY", "a public key"),
            ("CERTIFICATE REQUEST", "a certificate request"), ("EC PARAMETERS", "it holds EC PARAMETERS"),
            ("X509 CRL", "a revocation list"),
        ]
    )
    func `what nothing makes a key of is named too`(label: String, words: String) throws {
        let path = try file("-----BEGIN \(label)-----\nAAAA\n-----END \(label)-----\n".utf8)
        let error = error { $0.privateKeyFile = path }
        #expect(error?.kind == .wrongContent)
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test func `a certificate with trust settings is not passed over among others`() async throws {
        let trusted = try await certificates.shell("openssl x509 -in server.crt -trustout")
        try #require(trusted.status == 0)
        let path = try file(bytes(of: "ca.crt") + trusted.output.utf8)
        #expect(error { $0.clientCAFile = path }?.description.contains("TRUSTED CERTIFICATE") == true)
    }

    // MARK: What is no file

    @Test(.timeLimit(.minutes(1)))
    func `pipes, devices, sockets and endless files are refused, and nobody waits for them`() async throws {
        let pipe = certificates["\(UUID().uuidString).pipe"]
        try #require(mkfifo(pipe, 0o600) == 0)
        let long = try file([])
        try #require(truncate(long, 1 << 40) == 0)
        for (path, words) in [
            (pipe, "is a pipe and no file"), ("/dev/zero", "is a device and no file"),
            (DevelopmentCertificates.folder.path, "is a folder"), (long, "is longer than 4 MiB"),
        ] {
            for error in [
                error { $0.privateKeyFile = path }, error { $0.certificateChainFile = path },
                error { $0.clientCAFile = path },
            ] {
                #expect(error?.kind == .unreadableFile)
                #expect(error?.description.hasPrefix("\(path) \(words): ") == true, "\(error?.description ?? "none")")
            }
        }
    }

    @Test(arguments: [(0o644, true), (0o640, false), (0o620, true), (0o602, true), (0o600, false), (0o400, false)])
    func `a key that others can read or change is a warning`(mode: Int, warned: Bool) throws {
        let path = try file(bytes(of: "server.key"))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let warnings = try warnings { $0.privateKeyFile = path }
        let words = "\(path) holds a private key that others can read or change: chmod 600 \(path)"
        #expect(warnings == (warned ? [words] : []))
    }
}
