import Foundation
import Testing

extension EndToEnd {
    @Suite struct Probe {
        @Test(arguments: [false, true])
        func `an answer is shown, and the status is 0`(overTLS: Bool) async throws {
            let server = try await Server.startWithTLS(try await Device.start())
            let read = try await probe(server, overTLS, "--unit", "1", "--read", "40000:4")
            #expect(read.end == .exited(0))
            #expect(read.said.contains("SunS") && read.said.contains("0x5375"))
            let written = try await probe(server, overTLS, "--write", "10=7,8")
            #expect(written.end == .exited(0))
            let readBack = try await probe(server, overTLS, "--read-input", "10:2")
            #expect(readBack.end == .exited(0))
            #expect(readBack.said.contains("0x0007") && readBack.said.contains("0x0008"))
        }

        @Test(arguments: [false, true])
        func `no listener is status 2`(overTLS: Bool) async throws {
            let port = try freePort()
            let probed = try await probe(port, overTLS, "--read", "0:1")
            #expect(probed.end == .exited(2))
            #expect(probed.said.contains("cannot connect to 127.0.0.1:\(port): Connection refused"))
        }

        @Test(arguments: [false, true])
        func `a foreign address is status 3`(overTLS: Bool) async throws {
            let server = try await Server.startWithTLS(try await Device.start(), ["--allow", "127.0.0.2"])
            let probed = try await probe(server, overTLS, "--read", "0:1")
            #expect(probed.end == .exited(3))
            #expect(probed.said.contains("allow-list"))
            #expect(server.program.lines(containing: "its address is not on the allow-list").count == 1)
        }

        @Test func `a device that is busy with another client is status 3`() async throws {
            let device = try await Device.start()
            let other = try RunningProgram.client("raw.py", ["\(device.port)"])
            try await device.program.line(containing: "client connected")
            let probed = try await probe(device.port, false, "--read", "0:1")
            #expect(probed.end == .exited(3))
            #expect(probed.said.contains("a device has no free connection"))
            other.send(signal: SIGKILL)
        }

        @Test func `no TLS where it is spoken is status 3 with a hint`() async throws {
            let server = try await Server.startWithTLS(try await Device.start())
            let probed = try await probe(server.tlsPort, false, "--read", "0:1")
            #expect(probed.end == .exited(3))
            #expect(probed.said.contains("the listener may want TLS (--tls)"))
            _ = try await server.program.line(containing: "spoke plain Modbus/TCP to the TLS port")
            #expect(server.program.lines(containing: "spoke plain Modbus/TCP to the TLS port").count == 1)
        }

        @Test func `TLS where it is not spoken is status 3 with a hint`() async throws {
            let server = try await Server.startWithTLS(try await Device.start())
            let probed = try await probe(server.plainPort, true, "--read", "0:1")
            #expect(probed.end == .exited(3))
            #expect(probed.said.contains("check that this port speaks TLS"))
            _ = try await server.program.line(containing: "this listener does not")
            #expect(server.program.lines(containing: "this listener does not").count == 1)
        }

        @Test func `a problem with certificates is status 4 and called by its name`() async throws {
            let server = try await Server.startWithTLS(try await Device.start())
            let certificates = try await Certificates.made()
            func tls(_ ca: String, _ name: String?) -> [String] {
                ["--tls", "--ca", certificates[ca]]
                    + (name.map { ["--certificate", certificates["\($0).crt"], "--key", certificates["\($0).key"]] }
                        ?? [])
            }
            for (options, reason) in [
                (tls("ca.crt", nil), "requires a certificate"),
                (tls("ca.crt", "client-expired"), "refuses our certificate"),
                (tls("ca.crt", "foreign-client"), "does not trust our certificate"),
                (tls("ca.crt", "client-serverauth"), "certificate"),
                (tls("foreign-ca.crt", "client"), "is signed by an authority we do not trust"),
            ] {
                let probe = try RunningProgram.multiplexer(
                    ["probe", "127.0.0.1:\(server.tlsPort)", "--read", "0:1"] + options
                )
                #expect(try await probe.end() == .exited(4), "\(options)")
                #expect(probe.lines(containing: reason).count == 1, "\(probe.lines.map(\.text))")
            }
        }

        @Test(arguments: [false, true])
        func `an exception is status 5 and called by its name`(overTLS: Bool) async throws {
            let server = try await Server.startWithTLS(try await Device.start())
            let probed = try await probe(server, overTLS, "--read", "5000:1")
            #expect(probed.end == .exited(5))
            #expect(probed.said.lowercased().contains("illegal data address"))
        }

        @Test func `a device that is away is status 5 with the multiplexer's exception`() async throws {
            let device = try await Device.start()
            device.program.send(signal: SIGKILL)
            try await device.program.end()
            let server = try await Server.startWithTLS(device)
            let probed = try await probe(server, true, "--read", "0:1")
            #expect(probed.end == .exited(5))
            #expect(probed.said.lowercased().contains("gateway path unavailable"))
        }

        @Test(arguments: [false, true])
        func `no answer is status 6`(overTLS: Bool) async throws {
            let server = try await Server.startWithTLS(try await Device.start("--response-delay", "20s"))
            let probed = try await probe(server, overTLS, "--read", "0:1", "--timeout", "500ms")
            #expect(probed.end == .exited(6))
            #expect(probed.said.contains("no answer within 500ms"))
        }

        @Test(arguments: [false, true])
        func `an answer that makes no sense is status 7`(overTLS: Bool) async throws {
            // An echo is no answer to a read; its count of 10 is a line feed, which ends the line.
            let device = try await Device.start("-p", "echo")
            let server = try await Server.startWithTLS(device, ["-p", "echo"])
            let probed = try await probe(server, overTLS, "--read", "0:10")
            #expect(probed.end == .exited(7))
        }

        @Test func `options that cannot be used are status 64`() async throws {
            for (options, reason) in [
                (["--read", "0:126"], "125"),
                (["--read", "0:1", "--write", "0=1"], "only one of"),
                ([], "give one of"),
                (["--read", "0:1", "--ca", "ca.crt"], "--tls"),
            ] {
                let probed = try await probe(1, false, options)
                #expect(probed.end == .exited(64), "\(options)")
                #expect(probed.said.contains(reason))
            }
        }

        private func probe(
            _ server: Server,
            _ overTLS: Bool,
            _ options: String...
        ) async throws -> (end: RunningProgram.End, said: String) {
            try await probe(overTLS ? server.tlsPort : server.plainPort, overTLS, options)
        }

        private func probe(
            _ port: Int,
            _ overTLS: Bool,
            _ options: String...
        ) async throws -> (end: RunningProgram.End, said: String) {
            try await probe(port, overTLS, options)
        }

        /// Probes with the right certificates.
        private func probe(
            _ port: Int,
            _ overTLS: Bool,
            _ options: [String]
        ) async throws -> (end: RunningProgram.End, said: String) {
            var arguments = ["probe", "127.0.0.1:\(port)"] + options
            if overTLS {
                let certificates = try await Certificates.made()
                arguments += [
                    "--tls", "--ca", certificates["ca.crt"],
                    "--certificate", certificates["client.crt"], "--key", certificates["client.key"],
                ]
            }
            let probe = try RunningProgram.multiplexer(arguments)
            return (try await probe.end(), probe.lines.map(\.text).joined(separator: "\n"))
        }
    }
}
