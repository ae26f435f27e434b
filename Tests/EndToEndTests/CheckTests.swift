import Foundation
import Testing

extension EndToEnd {
    @Suite struct Checks {
        @Test func `a check finds what a start would find, and more, and listens to nobody`() async throws {
            let (certificates, port) = (try await Certificates.made(), try freePort())
            let found = try await check(
                """
                devices:
                  inverter:
                    target: 127.0.0.1:1502
                    protocol: modbus
                    listeners:
                      - address: 0.0.0.0:\(port)
                        tls:
                          certificate: \(certificates.path)/server.crt
                          key: \(certificates.path)/client.key
                """
            )
            #expect(found.status == .exited(1))
            let error = found.said.first { $0.contains(": error: ") }
            #expect(error?.contains("devices.inverter.listeners[0].tls.certificate: ") == true)
            #expect(error?.contains("client.key is not the private key") == true)
            #expect(found.said.last == "1 error, 1 warning")
        }

        @Test func `warnings count where they are to`() async throws {
            let port = try freePort()
            let text = """
                devices:
                  inverter:
                    target: 127.0.0.1:1502
                    protocol: modbus
                    broadcast-delay: 1s
                    listeners: [{address: '0.0.0.0:\(port)'}]
                """
            let lax = try await check(text)
            #expect(lax.status == .exited(0))
            #expect(lax.said.contains { $0.contains(":5:5: devices.inverter.broadcast-delay: warning: ") })
            #expect(lax.said.contains { $0.contains("anyone who reaches 0.0.0.0:\(port)") })
            #expect(try await check(text, "--strict").status == .exited(2))
        }

        @Test func `it asks devices if it is to, each as the server would`() async throws {
            let device = try await Device.start()
            let (port, nobody) = (try freePort(), try freePort())
            let text = """
                devices:
                  inverter: {target: '127.0.0.1:\(device.port)', protocol: modbus, listeners: [{address: \(port)}]}
                  meter: {target: '127.0.0.1:\(nobody)', protocol: modbus, listeners: [{address: 127.0.0.1:0}]}
                """
            let found = try await check(text, "--connect", "--read", "40000:2", "--json")
            #expect(found.status == .exited(1))
            let json = try JSONSerialization.jsonObject(with: Data(found.said.joined(separator: "\n").utf8))
            let report = try #require(json as? [String: Any])
            let findings = try #require(report["findings"] as? [[String: Any]])
            #expect(report["errors"] as? Int == 1)
            #expect(findings.map { $0["severity"] as? String } == ["note", "error"])
            #expect(findings.map { $0["path"] as? String } == ["devices.inverter.target", "devices.meter.target"])
            #expect((findings.first?["text"] as? String)?.contains("answers within") == true)
            #expect((findings.last?["text"] as? String)?.contains("cannot be reached") == true)
        }

        @Test func `options are checked in their own words`() async throws {
            let port = try freePort()
            let found = try await run("-p", "modbus", "-t", "127.0.0.1:1502", "-l", "\(port)")
            #expect(found.status == .exited(0))
            #expect(
                found.said.first?.contains("limit it with --allow, ask for client certificates with --client-ca")
                    == true
            )
        }

        private func check(_ text: String, _ options: String...) async throws -> Found {
            let file = FileManager.default.temporaryDirectory.appending(path: "check-\(UUID().uuidString).yml")
            try Data(text.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            return try await run(["--config", file.path] + options)
        }

        private func run(_ arguments: String...) async throws -> Found { try await run(arguments) }

        private func run(_ arguments: [String]) async throws -> Found {
            let program = try RunningProgram.multiplexer(["check"] + arguments)
            let status = try await program.end()
            return Found(status: status, said: program.lines.map { String($0.text) })
        }

        private struct Found {
            let status: RunningProgram.End
            let said: [String]
        }
    }
}
