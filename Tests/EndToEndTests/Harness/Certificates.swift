import Foundation

/// What `certs-dev/make-certs.sh` makes, made once for a run of the tests and thrown away after it.
struct Certificates: Sendable {
    /// The folder's path.
    let path: String

    static func made() async throws -> Certificates {
        try await making.value
    }

    subscript(file: String) -> String {
        "\(path)/\(file)"
    }

    private static let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("certificates-\(UUID().uuidString)")

    private static let making = Task {
        atexit { try? FileManager.default.removeItem(at: Certificates.folder) }
        let script = Tools.repository.appendingPathComponent("certs-dev/make-certs.sh")
        let program = try RunningProgram(script, ["--out", folder.path])
        guard try await program.end(within: .seconds(60)) == .exited(0) else {
            throw Disappointment(description: program.lines.map(\.text).joined(separator: "\n"))
        }
        return Certificates(path: folder.path)
    }
}
