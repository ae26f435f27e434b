import Foundation
import Testing

@Suite struct DevelopmentCertificatesTests {
    private static let keys = [
        "server", "server-encrypted", "client", "client-operator", "client-expired", "client-serverauth",
        "foreign-client",
    ]

    private func contents(of folder: URL) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map { ($0, try Data(contentsOf: folder.appendingPathComponent($0))) }
        )
    }

    @Test func `the script makes what is missing, once, and leaves other files alone`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("a folder #\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: folder.appendingPathComponent("notes.txt"))

        let first = try await DevelopmentCertificates.runScript("--out", folder.path)
        #expect(first.status == 0)
        #expect(first.output == "made development certificates in \(folder.path)\n")
        let made = try contents(of: folder)
        let expected =
            Self.keys.map { "\($0).key" } + Self.keys.filter { $0 != "server-encrypted" }.map { "\($0).crt" }
            + ["ca.crt", "foreign-ca.crt", "server-encrypted.passphrase", "notes.txt"]
        #expect(Set(made.keys) == Set(expected))
        for key in Self.keys {
            let path = folder.appendingPathComponent("\(key).key").path
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        }

        let second = try await DevelopmentCertificates.runScript("--out", folder.path)
        #expect(second.status == 0)
        #expect(second.output == "development certificates are already in \(folder.path)\n")
        #expect(try contents(of: folder) == made)

        // As an interrupted run leaves it.
        try FileManager.default.removeItem(at: folder.appendingPathComponent("ca.crt"))
        #expect(try await DevelopmentCertificates.runScript("--out", folder.path).output.hasPrefix("made "))
        let again = try contents(of: folder)
        #expect(Set(again.keys) == Set(made.keys))
        #expect(again["client.crt"] != made["client.crt"], "signed by the new authority")
        #expect(again["notes.txt"] == made["notes.txt"])

        #expect(
            try await DevelopmentCertificates.runScript("--force", "--out=\(folder.path)").output.hasPrefix("made ")
        )
        #expect(try contents(of: folder)["ca.crt"] != again["ca.crt"])
    }

    @Test(arguments: ["--unknown", "folder"])
    func `an argument that the script does not know is an error`(argument: String) async throws {
        let (status, output) = try await DevelopmentCertificates.runScript(argument)
        #expect(status == 64)
        #expect(output.hasPrefix("usage: make-certs.sh"))
    }
}
