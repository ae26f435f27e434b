import NIOCore
import Testing

@testable import SecureMux

@Suite struct PeerCertificateTests {
    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    private func read(_ path: String) throws -> PeerCertificate {
        try PeerCertificate(PEMFile(path: path, setting: .certificate).certificates()[0])
    }

    @Test func `names and dates are written as people read them`() throws {
        let certificate = try PEMFile(path: certificates["client-expired.crt"], setting: .certificate)
            .certificates()[0]
        #expect(certificate.subject == "CN=expired,O=tcp-multiplexer development")
        #expect(certificate.issuer == "CN=Development CA,O=tcp-multiplexer development")
        #expect(certificate.notBefore == "2024-01-01 00:00:00 UTC")
        #expect(certificate.notAfter == "2024-02-01 00:00:00 UTC")
    }

    @Test func `names are readable and cannot forge a line`() throws {
        let made = try MadeCertificate { $0.name = "Wärmepumpe\nrefused" }
        let subject = try read(made.certificateFile).subject
        #expect(subject == #"CN=Wärmepumpe\0Arefused"#)
    }

    @Test func `the role is the one UTF8String of the extension`() throws {
        #expect(try read(certificates["client.crt"]).role == .none)
        #expect(try read(certificates["client-operator.crt"]).role == .one("operator"))
    }

    private static let identifier = "1.3.6.1.4.1.50316.802.1"

    @Test(
        arguments: [
            ["ASN1:PRINTABLESTRING:operator"], ["ASN1:UTF8String:"], ["ASN1:NULL"], ["DER:0C"],
            ["DER:0C0A6F70"], ["DER:0C016F70"], ["DER:0C02FFFE"], ["DER:0C81016F"],
            ["ASN1:UTF8String:operator", "ASN1:UTF8String:viewer"],
        ]
    )
    func `a role that breaks the rules is malformed, not refused`(values: [String]) throws {
        let made = try MadeCertificate { recipe in
            recipe.extensions += values.map { (Self.identifier, $0) }
        }
        #expect(try read(made.certificateFile).role == .malformed)
        var server = certificates.server(.required)
        server.clientCAFile = made.caFile
        var client = certificates.client()
        client.certificateChainFile = made.certificateFile
        client.privateKeyFile = made.keyFile
        let pair = try SessionPair(client, server)
        #expect(pair.handshake().server == .complete)
        #expect(pair.server.peerCertificate?.role == .malformed)
    }

    @Test func `a role of 200 bytes is read whole`() throws {
        let role = String(repeating: "r", count: 200)
        let made = try MadeCertificate { $0.extensions.append((Self.identifier, "ASN1:UTF8String:\(role)")) }
        #expect(try read(made.certificateFile).role == .one(role))
    }
}
