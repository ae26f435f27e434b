import Foundation
import SecureMux

/// What `certs-dev/make-certs.sh` makes, made once for a run of the tests and thrown away after it.
struct DevelopmentCertificates {
    static let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("certificates-\(UUID().uuidString)")

    /// The certificates, made on first use.
    static func made() async throws -> DevelopmentCertificates {
        try await making.value
    }

    subscript(file: String) -> String {
        Self.folder.appendingPathComponent(file).path
    }

    var passphrase: String {
        get throws {
            let file = try String(
                contentsOf: Self.folder.appendingPathComponent("server-encrypted.passphrase"),
                encoding: .utf8
            )
            return file.trimmingCharacters(in: .newlines)
        }
    }

    func server(
        _ clientCertificates: ClientCertificates = .off,
        minimumVersion: TLSVersion = .v1_2
    ) -> TLSServerConfiguration {
        TLSServerConfiguration(
            certificateChainFile: self["server.crt"],
            privateKeyFile: self["server.key"],
            minimumVersion: minimumVersion,
            clientCertificates: clientCertificates,
            clientCAFile: clientCertificates == .off ? nil : self["ca.crt"]
        )
    }

    /// A client that shows the certificate of that name, such as "client".
    func client(_ name: String? = nil, serverName: String = "localhost") -> TLSClientConfiguration {
        TLSClientConfiguration(
            caFile: self["ca.crt"],
            serverName: serverName,
            certificateChainFile: name.map { self["\($0).crt"] },
            privateKeyFile: name.map { self["\($0).key"] }
        )
    }

    static let script = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("certs-dev/make-certs.sh")

    /// Runs the script and gives back what it said.
    static func runScript(_ arguments: String...) async throws -> (status: Int32, output: String) {
        try await run(arguments, script)
    }

    /// Runs a line of the shell in the folder and gives back what it said.
    @discardableResult
    func shell(_ line: String) async throws -> (status: Int32, output: String) {
        try await Self.run(["-c", "cd \(Self.folder.path) && \(line)"], URL(fileURLWithPath: "/bin/sh"))
    }

    private static func run(_ arguments: [String], _ program: URL) async throws -> (status: Int32, output: String) {
        // On a thread of its own: those that tests and servers share are not to wait.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try wait(for: program, arguments) }) }
        }
    }

    private static func wait(for program: URL, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    private static let making = Task {
        atexit { try? FileManager.default.removeItem(at: DevelopmentCertificates.folder) }
        let (status, output) = try await runScript("--out", folder.path)
        guard status == 0 else { throw ScriptFailed(output: output) }
        return DevelopmentCertificates()
    }

    private init() {}

    private struct ScriptFailed: Error {
        let output: String
    }
}
