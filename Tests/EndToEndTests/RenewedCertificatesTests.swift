import Foundation
import Testing

extension EndToEnd {
    /// Certificates that are replaced while a server runs.
    @Suite struct RenewedCertificates {
        private let folder = ReloadFolder()

        @Test func `the watch has a replaced certificate served, and all stay connected`() async throws {
            let (device, old) = (try await Device.start(), try await Certificates.made())
            try await makeNew()
            // As Kubernetes has secrets: both files change at once, by another link.
            try FileManager.default.createDirectory(atPath: folder["..old"], withIntermediateDirectories: true)
            for name in ["server.crt", "server.key"] {
                try FileManager.default.copyItem(atPath: old[name], toPath: folder["..old/\(name)"])
                try folder.link(name, to: "..data/\(name)")
            }
            try folder.link("..data", to: "..old")
            let server = try await Server.startWithFiles(device, folder, ["--watch"])
            let connected = try RunningProgram.client(
                "raw.py",
                ["\(server.tlsPort)", "--certificates", old.path, "--seconds", "60"]
            )
            try await connected.line(containing: "connected")
            #expect(try await isServed("..old/server.crt", by: server))
            try folder.link("..data", to: "..new")
            try await server.program.line(containing: "the configuration was reloaded", "rules of")
            #expect(try await isServed("..new/server.crt", by: server))
            #expect(server.program.lines(containing: "was not reloaded").isEmpty)
            #expect(connected.lines.map(\.text) == ["connected"])
        }

        @Test func `a certificate whose key comes later is told once, and served when the key is there`() async throws {
            let (device, old) = (try await Device.start(), try await Certificates.made())
            try await makeNew()
            for name in ["server.crt", "server.key"] {
                try FileManager.default.copyItem(atPath: old[name], toPath: folder[name])
            }
            let server = try await Server.startWithFiles(device, folder, ["--watch"])
            try replace("server.crt")
            try await server.program.line(containing: "was not reloaded", "is not the private key of")
            // Looked at twice more: it is told once, and the old pair serves on.
            try await Task.sleep(for: .seconds(5))
            #expect(server.program.lines(containing: "was not reloaded").count == 1)
            #expect(try await isServed(old["server.crt"], by: server))
            try replace("server.key")
            try await server.program.line(containing: "the configuration was reloaded", "rules of")
            #expect(try await isServed("..new/server.crt", by: server))
        }

        @Test func `a hangup reads the files again that options name`() async throws {
            let (device, old) = (try await Device.start(), try await Certificates.made())
            try await makeNew()
            for name in ["server.crt", "server.key"] {
                try FileManager.default.copyItem(atPath: old[name], toPath: folder[name])
            }
            let server = try await Server.startWithFiles(device, folder)
            try replace("server.crt")
            try replace("server.key")
            // Nobody has asked for it yet.
            #expect(try await isServed(old["server.crt"], by: server))
            server.program.send(signal: SIGHUP)
            try await server.program.line(containing: "the configuration was reloaded", "rules of")
            #expect(try await isServed("..new/server.crt", by: server))
        }

        /// Makes a pair that nobody has yet, in the folder "..new".
        private func makeNew() async throws {
            let script = Tools.repository.appendingPathComponent("certs-dev/make-certs.sh")
            let making = try RunningProgram(script, ["--out", folder["..new"]])
            #expect(try await making.end(within: .seconds(60)) == .exited(0))
        }

        private func replace(_ name: String) throws {
            try folder.write(try String(contentsOfFile: folder["..new/\(name)"], encoding: .utf8), to: name)
        }

        /// Whether a new handshake gets this certificate.
        private func isServed(_ file: String, by server: Server) async throws -> Bool {
            let served = try RunningProgram.shell(
                "openssl s_client -connect 127.0.0.1:\(server.tlsPort) </dev/null 2>&1 | openssl x509 -noout -serial"
            )
            try await served.end()
            let path = file.hasPrefix("/") ? file : folder[file]
            let expected = try RunningProgram.system("openssl", "x509", "-noout", "-serial", "-in", path)
            try await expected.end()
            let serial = try #require(expected.lines.first?.text)
            return served.lines.map(\.text) == [serial]
        }
    }
}

extension Server {
    /// A server with one listener, whose clients are to trust what is in this folder.
    fileprivate static func startWithFiles(
        _ device: Device,
        _ folder: ReloadFolder,
        _ options: [String] = []
    ) async throws -> Server {
        let program = try RunningProgram.multiplexer(
            [
                "server", "-p", "modbus", "-t", "127.0.0.1:\(device.port)", "--tls-listen", "127.0.0.1:0",
                "--tls-certificate", folder["server.crt"], "--tls-key", folder["server.key"],
            ] + options
        )
        return Server(program: program, plainPort: 0, tlsPort: try await program.port(announcedBy: "TLS"))
    }
}
