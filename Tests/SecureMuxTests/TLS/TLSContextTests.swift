import COpenSSL
import Foundation
import NIOCore
import Testing

@testable import SecureMux

@Suite struct TLSContextTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    private func error(_ change: (inout TLSServerConfiguration) throws -> Void) throws -> TLSConfigurationError? {
        var configuration = certificates.server(.required)
        try change(&configuration)
        do {
            _ = try TLSContext(server: configuration)
            return nil
        } catch {
            return error
        }
    }

    private func file(_ content: String) throws -> String {
        let path = certificates["\(UUID().uuidString).txt"]
        try content.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    @Test func `the development certificates are taken without a warning`() throws {
        #expect(try TLSContext(server: certificates.server(.required)).warnings == [])
        #expect(try TLSContext(client: certificates.client("client")).warnings == [])
    }

    @Test(arguments: [("ca.crt", 2), ("foreign-ca.crt", 1)])
    func `a certificate that comes alone is sent with its authorities as far as we know them`(
        _ authorities: String,
        _ sent: Int32
    ) throws {
        let end = "-----END CERTIFICATE-----\n"
        let chain = try String(contentsOfFile: certificates["server.crt"], encoding: .utf8)
        var configuration = certificates.server(.optional)
        configuration.certificateChainFile = try file(try #require(chain.components(separatedBy: end).first) + end)
        configuration.clientCAFile = certificates[authorities]
        let pair = try SessionPair(certificates.client(), configuration)
        #expect(pair.handshake() == (.complete, .complete))
        #expect(OPENSSL_sk_num(SSL_get_peer_cert_chain(pair.client.ssl)) == sent)
    }

    @Test func `a missing file is named with its option`() throws {
        let missing = certificates["nothing.crt"]
        for (option, set) in [
            ("'tls-certificate'", \TLSServerConfiguration.certificateChainFile), ("'tls-key'", \.privateKeyFile),
        ] {
            let error = try error { $0[keyPath: set] = missing }
            #expect(error?.kind == .unreadableFile)
            #expect(error?.file == missing)
            #expect(error?.description == "\(missing) does not exist: give \(option) a file that can be read")
        }
        #expect(try error { $0.clientCAFile = missing }?.description.contains("'client-ca'") == true)
    }

    @Test func `an empty file name is not called a missing file`() throws {
        let error = try error { $0.certificateChainFile = "" }
        #expect(error?.kind == .unreadableFile)
        #expect(
            error?.description
                == "the name given with 'tls-certificate' is empty: give 'tls-certificate' a file that can be read"
        )
    }

    @Test func `a folder is no file`() throws {
        let error = try error { $0.privateKeyFile = DevelopmentCertificates.folder.path }
        #expect(error?.kind == .unreadableFile)
        #expect(error?.description.contains("is a folder") == true)
    }

    @Test func `a file of the wrong kind is called what it is`() throws {
        let swapped = try error { $0.certificateChainFile = certificates["server.key"] }
        #expect(swapped?.kind == .wrongContent)
        #expect(swapped?.description.contains("holds no certificate (it holds a private key)") == true)
        let key = try error { $0.privateKeyFile = certificates["server.crt"] }
        #expect(key?.description.contains("holds no private key (it holds a certificate)") == true)
        let text = try error { $0.clientCAFile = try file("hello\n") }
        #expect(text?.description.contains("holds no certificate (it is not PEM)") == true)
        let empty = try error { $0.clientCAFile = try file("") }
        #expect(empty?.description.contains("holds no certificate (it is empty)") == true)
        let der = try error {
            let path = certificates["\(UUID().uuidString).der"]
            try Data([0x30, 0x82, 1, 0]).write(to: URL(fileURLWithPath: path))
            $0.certificateChainFile = path
        }
        #expect(der?.description.contains("it seems to be DER") == true)
    }

    @Test func `a broken certificate is not taken for the end of the file`() throws {
        let good = try String(contentsOfFile: certificates["ca.crt"], encoding: .utf8)
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        let error = try error { $0.clientCAFile = try file(good + broken) }
        #expect(error?.kind == .wrongContent)
        #expect(error?.description.contains("has a broken certificate") == true)
    }

    @Test(arguments: ["server.key", "server-encrypted.key"])
    func `a key with a corrupted line is called broken`(name: String) throws {
        var lines = try String(contentsOfFile: certificates[name], encoding: .utf8).split(separator: "\n")
        lines[1] = "!!!!" + lines[1].dropFirst(4)
        let damaged = try file(lines.joined(separator: "\n") + "\n")
        let error = try error { $0.privateKeyFile = damaged }
        #expect(error?.kind == .wrongContent)
        #expect(error?.description.hasPrefix("\(damaged) has a broken private key (") == true)
    }

    @Test func `a key of another certificate is refused`() throws {
        let error = try error { $0.privateKeyFile = certificates["client.key"] }
        #expect(error?.kind == .keyMismatch)
        #expect(error?.description.contains("is not the private key of the first certificate") == true)
    }

    @Test func `an encrypted key opens with its passphrase only`() throws {
        let encrypted = certificates["server-encrypted.key"]
        let passphrase = try certificates.passphrase
        #expect(
            try error {
                $0.privateKeyFile = encrypted
                $0.privateKeyPassphrase = passphrase
            } == nil
        )
        let wrong = try error {
            $0.privateKeyFile = encrypted
            $0.privateKeyPassphrase = "wrong"
        }
        #expect(wrong?.kind == .passphraseWrong)
        #expect(wrong?.description.contains("'tls-key-passphrase-file'") == true)
        let none = try error { $0.privateKeyFile = encrypted }
        #expect(none?.kind == .passphraseMissing)
        #expect(none?.description.contains("'tls-key-passphrase-file'") == true)
        let endless = try error {
            $0.privateKeyFile = encrypted
            $0.privateKeyPassphrase = String(repeating: "x", count: 100_000)
        }
        #expect(endless?.kind == .passphraseWrong)
    }

    @Test func `client certificates need an authority`() throws {
        let error = try error { $0.clientCAFile = nil }
        #expect(error?.kind == .contradiction)
        #expect(error?.description.contains("'client-ca'") == true)
    }

    @Test func `a client's certificate and key are needed together`() throws {
        var configuration = certificates.client("client")
        configuration.privateKeyFile = nil
        #expect {
            try TLSContext(client: configuration)
        } throws: {
            ($0 as? TLSConfigurationError)?.description.contains("'certificate' and 'key'") == true
        }
    }

    @Test(arguments: ["", "local\0host"])
    func `a server's name that cannot be checked is refused`(name: String) throws {
        #expect {
            try TLSContext(client: certificates.client(serverName: name))
        } throws: {
            ($0 as? TLSConfigurationError)?.kind == .contradiction
        }
    }

    @Test func `a certificate that clients will refuse is a warning`() throws {
        var configuration = certificates.server()
        configuration.certificateChainFile = certificates["client-expired.crt"]
        configuration.privateKeyFile = certificates["client-expired.key"]
        let warnings = try TLSContext(server: configuration).warnings.map(\.description)
        #expect(warnings.count == 2)
        #expect(warnings.first?.contains("CN=expired,O=tcp-multiplexer development expired on 2024-02-01") == true)
        #expect(warnings.last?.contains("serverAuth") == true)
    }

    @Test func `a CA file without an authority in it is a warning`() throws {
        var configuration = certificates.server(.required)
        configuration.clientCAFile = certificates["client.crt"]
        let warnings = try TLSContext(server: configuration).warnings.map(\.description)
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("is no authority") == true)
    }

    @Test func `the request for a certificate names the authorities`() throws {
        // In TLS 1.2 the server's hello is readable.
        let pair = try SessionPair(certificates.client(), certificates.server(.required), newest: .v1_2)
        var records = ByteBuffer()
        _ = pair.client.handshake(records: &records)
        pair.server.receive(records)
        records = ByteBuffer()
        _ = pair.server.handshake(records: &records)
        let text = String(decoding: records.readableBytesView, as: UTF8.self)
        // Once as subject and issuer of the authority's own certificate, once as issuer of the server's, once asked for.
        #expect(text.split(separator: "Development CA").count - 1 == 4)
    }
}
