import COpenSSL
import Foundation
import Testing

@testable import SecureMux

/// Authorities as people make them at home.
@Suite struct AuthorityTests {
    typealias Recipe = MadeCertificate.Recipe

    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    private func context(_ authorities: String...) throws -> TLSContext {
        let path = certificates["\(UUID().uuidString).pem"]
        try authorities.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
            .write(toFile: path, atomically: false, encoding: .utf8)
        var server = certificates.server(.required)
        server.clientCAFile = path
        return try TLSContext(server: server)
    }

    private func refusal(of made: MadeCertificate, _ server: TLSContext) throws -> TLSRefusal? {
        var client = certificates.client()
        (client.certificateChainFile, client.privateKeyFile) = (made.certificateFile, made.keyFile)
        return try SessionPair(TLSContext(client: client), server).handshake().server.refusal
    }

    private func authority(_ extensions: [(String, String)], version: Int = 3) -> Recipe {
        var recipe = Recipe.authority("Home CA")
        recipe.extensions = extensions
        recipe.version = version
        return recipe
    }

    @Test func `an intermediate authority alone is trusted, and nothing else of its root`() throws {
        let (made, other) = (try MadeCertificate { $0.intermediates = 1 }, try MadeCertificate { $0.intermediates = 1 })
        let server = try context(made.intermediateFiles[0])
        #expect(server.warnings == [])
        #expect(try refusal(of: made, server) == nil)
        #expect(try refusal(of: other, server)?.kind == .unknownAuthority)
    }

    @Test func `what a client's certificate in the file has signed is not trusted`() throws {
        let made = try MadeCertificate(signedBy: Recipe(name: "a client"))
        let server = try context(made.caFile)
        #expect(server.warnings.count == 1)
        #expect(
            server.warnings[0].description.contains("CN=a client is no authority (its basicConstraints say CA:FALSE)")
        )
        let refusal = try refusal(of: made, server)
        #expect(refusal?.kind == .badAuthority)
        #expect(refusal?.reason.contains("an authority (CN=a client) that may not sign it") == true)
    }

    @Test(
        arguments: [
            ([], "it has no basicConstraints"),
            ([("basicConstraints", "CA:FALSE")], "its basicConstraints say CA:FALSE"),
            ([("basicConstraints", "CA:TRUE"), ("keyUsage", "digitalSignature")], "its keyUsage lacks keyCertSign"),
        ] as [([(String, String)], String)]
    )
    func `an authority that may sign nothing is said at the start, and blamed for it`(
        extensions: [(String, String)],
        fault: String
    ) throws {
        let made = try MadeCertificate(signedBy: authority(extensions))
        let server = try context(made.caFile)
        #expect(server.warnings.count == 1)
        #expect(server.warnings.first?.description.contains("CN=Home CA is no authority (\(fault))") == true)
        let refusal = try refusal(of: made, server)
        #expect(refusal?.kind == .badAuthority)
        #expect(refusal?.reason.contains("signed by an authority (CN=Home CA) that may not sign it (\(fault))") == true)
        #expect(refusal?.remedy.description.hasPrefix("make that authority's certificate anew") == true)
    }

    @Test func `a root of version 1 is an authority`() throws {
        let made = try MadeCertificate(signedBy: authority([], version: 1))
        let server = try context(made.caFile)
        #expect(server.warnings == [])
        #expect(try refusal(of: made, server) == nil)
    }

    @Test func `many that are no authorities are one line`() throws {
        let files = try (0..<3).map { _ in try MadeCertificate.selfSigned().certificateFile }
        let warnings = try context(files[0], files[1], files[2]).warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.description.contains("(and 2 more like it) is no authority") == true)
    }

    @Test(arguments: [false, true])
    func `an authority that was renewed with its key counts, in whatever order both are named`(isFirst: Bool) throws {
        var expired = Recipe.authority("Home CA")
        expired.validFrom = -7200
        expired.validFor = 3600
        let made = try MadeCertificate(signedBy: .authority("Home CA"), twins: [expired])
        let files = isFirst ? [made.twinFiles[0], made.caFile] : [made.caFile, made.twinFiles[0]]
        let server = try context(files[0], files[1])
        #expect(server.warnings == [])
        #expect(try refusal(of: made, server) == nil)
        let alone = try context(made.twinFiles[0])
        #expect(alone.warnings.first?.description.contains("CN=Home CA expired on") == true)
        #expect(try refusal(of: made, alone)?.kind == .certificateExpired)
    }

    @Test func `another authority of the same name is not taken for it, and the log says so`() throws {
        let (made, other) = (
            try MadeCertificate(signedBy: .authority("Home CA")), try MadeCertificate(signedBy: .authority("Home CA"))
        )
        let refusal = try refusal(of: made, context(other.caFile))
        #expect(refusal?.kind == .unknownAuthority)
        let words = "the authority of that name that we trust (CN=Home CA): it has another key"
        #expect(refusal?.reason.contains(words) == true)
    }

    @Test func `names of authorities that no request for a certificate can hold are left out, and that is said`() throws
    {
        let made = try MadeCertificate(signedBy: .authority(String(repeating: "x", count: 64)))
        // The same one so often that its names are too many.
        let many = String(repeating: try String(contentsOfFile: made.caFile, encoding: .utf8), count: 900)
        let path = certificates["\(UUID().uuidString).pem"]
        try many.write(toFile: path, atomically: false, encoding: .utf8)
        var configuration = certificates.server(.required)
        configuration.clientCAFile = path
        let crowded = try TLSContext(server: configuration)
        #expect(crowded.warnings.first?.description.contains("clients are told none") == true)
        #expect(try refusal(of: made, crowded) == nil)
    }

    @Test func `a server's key on a curve that TLS 1.3 lacks is said at the start`() throws {
        let made = try MadeCertificate.selfSigned {
            $0.key = .curve("secp256k1")
            $0.extensions = [("extendedKeyUsage", "serverAuth")]
        }
        var server = certificates.server()
        (server.certificateChainFile, server.privateKeyFile) = (made.certificateFile, made.keyFile)
        let words = "has a key on a curve that TLS 1.3 lacks (secp256k1)"
        #expect(try TLSContext(server: server).warnings.contains { $0.description.contains(words) })
        server.minimumVersion = .v1_3
        let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(server: server) }
        #expect(error?.kind == .unusableKey)
        #expect(error?.description.contains(words) == true)
    }

    @Test func `an address that the server's certificate has as a name is said at the start, and by a client`() throws {
        let made = try MadeCertificate {
            $0.extensions = [
                ("extendedKeyUsage", "serverAuth"), ("subjectAltName", "DNS:192.0.2.5,DNS:gateway.lan,IP:192.0.2.6"),
            ]
        }
        var server = certificates.server()
        (server.certificateChainFile, server.privateKeyFile) = (made.certificateFile, made.keyFile)
        let context = try TLSContext(server: server)
        #expect(context.warnings.count == 1)
        #expect(context.warnings.first?.description.contains("has 192.0.2.5 as a DNS name") == true)
        #expect(context.warnings.first?.description.hasSuffix("make one with subjectAltName IP:192.0.2.5") == true)
        var client = certificates.client(serverName: "192.0.2.5")
        client.caFile = made.caFile
        let refusal = try SessionPair(TLSContext(client: client), context).handshake().client.refusal
        #expect(refusal?.kind == .nameMismatch)
        #expect(refusal?.remedy.description.contains("subjectAltName IP:192.0.2.5") == true)
        client.serverName = "192.0.2.6"
        #expect(try SessionPair(TLSContext(client: client), context).handshake().client.refusal == nil)
    }
}
