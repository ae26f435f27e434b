import Foundation
import Testing

extension EndToEnd {
    @Suite(.bystanders("--allow", "127.0.0.1/32")) struct RefusedClients {
        private let scene: Scene

        init() throws {
            scene = try Scene.ofSuite()
        }

        // MARK: By its address

        @Test(arguments: [false, true])
        func `a client from a foreign address is closed before it says a word`(overTLS: Bool) async throws {
            try await scene.expectRefusal("its address is not on the allow-list") {
                let port = overTLS ? scene.server.tlsPort : scene.server.plainPort
                let said = try await scene.send([], to: port, "--source", "127.0.0.2")
                #expect(said == ["connected", "closed"] || said == ["connected", "reset"])
            }
        }

        @Test func `curl from a foreign address gets no handshake`() async throws {
            try await scene.expectRefusal("its address is not on the allow-list") {
                let curl = try curl("--interface", "127.0.0.2", "--cacert", scene.certificates["ca.crt"])
                #expect(try await curl.end() == .exited(35), "an SSL connect error")
            }
        }

        // MARK: By its certificate

        @Test(arguments: [("-tls1_2", 40), ("-tls1_3", 116)])
        func `openssl without a certificate gets the alert for it`(version: String, alert: Int) async throws {
            try await scene.expectRefusal(Self.noCertificate) {
                try await expectAlert(alert, version)
            }
        }

        @Test func `gnutls-cli without a certificate gets the alert for it`() async throws {
            try await scene.expectRefusal(Self.noCertificate) {
                let gnutls = try RunningProgram.system(
                    "gnutls-cli",
                    "--x509cafile",
                    scene.certificates["ca.crt"],
                    "--port",
                    "\(scene.server.tlsPort)",
                    "127.0.0.1",
                    hasInput: true
                )
                try await gnutls.line(containing: "Received alert [116]")
                try await gnutls.end()
            }
        }

        @Test func `curl without a certificate is told that one is required`() async throws {
            try await scene.expectRefusal(Self.noCertificate) {
                let curl = try curl("--cacert", scene.certificates["ca.crt"])
                try await curl.line(containing: "certificate required")
                #expect(try await curl.end() != .exited(0))
            }
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `an expired certificate gets the alert for it`(version: String) async throws {
            try await scene.expectRefusal("expired on 2024-02-01") {
                try await expectAlert(45, version, certificate: "client-expired")
            }
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a certificate of a foreign CA gets the alert for it`(version: String) async throws {
            try await scene.expectRefusal("is signed by an authority we do not trust") {
                try await expectAlert(48, version, certificate: "foreign-client")
            }
        }

        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a certificate for servers only gets the alert for it`(version: String) async throws {
            try await scene.expectRefusal("may not be used by clients") {
                try await expectAlert(43, version, certificate: "client-serverauth")
            }
        }

        // They say so and reset the connection at once.
        @Test(arguments: ["-tls1_2", "-tls1_3"])
        func `a client that does not trust us is called so, however fast it leaves`(version: String) async throws {
            let reason = "the client does not trust our certificate (TLS alert 48, unknown CA)"
            try await scene.expectRefusals(Array(repeating: reason, count: 20)) {
                for _ in 0..<20 {
                    let openssl = try openssl(scene.server.tlsPort, version, "-verify_return_error", ca: "foreign-ca")
                    #expect(try await openssl.end() == .exited(1))
                }
            }
        }

        @Test func `curl that does not trust us is called so`() async throws {
            try await scene.expectRefusal("the client does not trust our certificate (TLS alert 48, unknown CA)") {
                let curl = try curl()
                #expect(try await curl.end() == .exited(60), "a certificate that cannot be verified")
            }
        }

        // MARK: By what it speaks

        @Test func `TLS 1.1 gets the alert for it`() async throws {
            try await scene.expectRefusal("the client offers TLS 1.1 at most and this listener wants at least TLS 1.2")
            {
                try await expectAlert(70, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0", certificate: "client")
            }
        }

        @Test func `plain Modbus on the TLS port is closed and called by its name`() async throws {
            try await scene.expectRefusal("the client spoke plain Modbus/TCP to the TLS port") {
                let mbpoll = try RunningProgram.system(
                    "mbpoll",
                    "-m",
                    "tcp",
                    "-p",
                    "\(scene.server.tlsPort)",
                    "-a",
                    "1",
                    "-1",
                    "127.0.0.1"
                )
                #expect(try await mbpoll.end() == .exited(1))
            }
        }

        @Test func `plain HTTP on the TLS port is closed and called by its name`() async throws {
            try await scene.expectRefusal("the client spoke plain HTTP to the TLS port") {
                let curl = try RunningProgram.system(
                    "curl",
                    "--silent",
                    "--show-error",
                    "--max-time",
                    "15",
                    "http://127.0.0.1:\(scene.server.tlsPort)/"
                )
                #expect(try await curl.end() != .exited(0))
            }
        }

        @Test func `TLS on the plain port is closed and called by its name`() async throws {
            try await scene.expectRefusal("the client speaks TLS, this listener does not") {
                let openssl = try openssl(scene.server.plainPort, "-tls1_3")
                #expect(try await openssl.end() == .exited(1))
            }
        }

        @Test func `a handshake that never finishes is refused after ten seconds`() async throws {
            let reasons = [
                "the client connected and sent nothing for 10s",
                "the client did not complete the TLS handshake within 10s",
            ]
            try await scene.expectRefusals(reasons) {
                let started = ContinuousClock.now
                async let silent = scene.send([], to: scene.server.tlsPort, within: .seconds(25))
                async let stuck = scene.send([0x16], to: scene.server.tlsPort, within: .seconds(25))
                let said = try await [silent, stuck]
                #expect(said == [["connected", "closed"], ["connected", "closed"]])
                let time = ContinuousClock.now - started
                #expect(time > .seconds(10) && time < .seconds(16))
            }
        }

        // MARK: By bytes without sense

        @Test(arguments: garbage)
        func `garbage on the plain port is refused`(_ garbage: Garbage) async throws {
            try await scene.expectRefusal(garbage.reason) {
                let said = try await scene.send(garbage.bytes, to: scene.server.plainPort)
                #expect(said.last == "closed" || said.last == "reset")
                #expect(!said.contains { $0.hasPrefix("received") })
            }
        }

        @Test(arguments: garbage)
        func `garbage inside TLS is refused`(_ garbage: Garbage) async throws {
            try await scene.expectRefusal(garbage.reason) {
                let said = try await scene.send(
                    garbage.bytes,
                    to: scene.server.tlsPort,
                    "--certificates",
                    scene.certificates.path
                )
                #expect(said == ["connected", "closed"])
            }
            let refusal = try #require(scene.server.program.lines(containing: garbage.reason).last)
            #expect(refusal.contains(#"subject="CN=client,O=tcp-multiplexer development" tls=1.3 remedy="#))
        }

        @Test(arguments: [
            Garbage("random bytes", random, "the client does not speak TLS (its first bytes: "),
            Garbage("a record too long", [0x16, 3, 1, 0xFF, 0xFF] + random, brokenRules, alert: 22),
            Garbage("a hello of random bytes", [0x16, 3, 1, 1, 0, 1, 0, 0, 0xFC] + random, brokenRules, alert: 50),
        ])
        func `garbage on the TLS port is refused`(_ garbage: Garbage) async throws {
            try await scene.expectRefusal(garbage.reason) {
                let said = try await scene.send(garbage.bytes, to: scene.server.tlsPort)
                let alert = garbage.alert.map { "received 150303000202" + String($0, radix: 16) }
                #expect(said == ["connected"] + [alert].compactMap(\.self) + ["closed"])
            }
        }

        // MARK: Tools

        struct Garbage: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let bytes: [UInt8]
            let reason: String
            let alert: Int?

            init(_ name: String, _ bytes: [UInt8], _ reason: String, alert: Int? = nil) {
                (testDescription, self.bytes, self.reason, self.alert) = (name, bytes, reason, alert)
            }
        }

        private static let garbage = [
            Garbage("random bytes", random, "the client sent something other than Modbus/TCP: the protocol id is"),
            Garbage("another protocol id", [0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 1], "the protocol id is 1 instead of 0"),
            Garbage("the greatest length", [0, 1, 0, 0, 0xFF, 0xFF, 1, 3], "a Modbus/TCP header with length 65535"),
            Garbage("one byte too many", [0, 1, 0, 0, 0, 0xFF, 1, 3], "a Modbus/TCP header with length 255"),
            Garbage("a length of 1", [0, 1, 0, 0, 0, 1, 1], "a Modbus/TCP header with length 1;"),
            Garbage("a length of 0", [0, 1, 0, 0, 0, 0], "a Modbus/TCP header with length 0"),
            Garbage(
                "sense, then none",
                [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1] + random,
                "the client sent something other than Modbus/TCP"
            ),
        ]

        /// The same in each run, and not the beginning of anything known.
        private static let random: [UInt8] = (0..<4_096).map {
            UInt8(truncatingIfNeeded: ($0 &* 167 &+ 89) ^ ($0 >> 3))
        }

        private static let brokenRules = "the client broke the rules of TLS"
        private static let noCertificate = "the client sent no certificate and this listener requires one"

        /// Expects that openssl is refused with an alert.
        private func expectAlert(_ alert: Int, _ options: String..., certificate: String? = nil) async throws {
            var options = options
            if let certificate {
                options += ["-cert", scene.certificates["\(certificate).crt"]]
                options += ["-key", scene.certificates["\(certificate).key"]]
            }
            let openssl = try openssl(scene.server.tlsPort, options)
            try await openssl.line(containing: "SSL alert number \(alert)")
            try await openssl.end()
        }

        /// curl with these options, for the TLS port.
        private func curl(_ options: String...) throws -> RunningProgram {
            try RunningProgram(
                Tools.system("curl"),
                ["--silent", "--show-error", "--max-time", "15"] + options
                    + ["https://127.0.0.1:\(scene.server.tlsPort)/"]
            )
        }

        private func openssl(_ port: Int, _ options: String..., ca: String = "ca") throws -> RunningProgram {
            try openssl(port, options, ca: ca)
        }

        private func openssl(_ port: Int, _ options: [String], ca: String = "ca") throws -> RunningProgram {
            let arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof", "-CAfile"]
            return try RunningProgram(
                Tools.system("openssl"),
                arguments + [scene.certificates["\(ca).crt"]] + options
            )
        }
    }
    @Suite(.bystanders("--tls-min-version", "1.3")) struct RefusedBelowTLS13 {
        @Test func `TLS 1.2 gets the alert for it where 1.3 is asked for`() async throws {
            let scene = try Scene.ofSuite()
            let reason = "the client offers TLS 1.2 at most and this listener wants at least TLS 1.3"
            try await scene.expectRefusal(reason) {
                let openssl = try RunningProgram.system(
                    "openssl",
                    "s_client",
                    "-connect",
                    "127.0.0.1:\(scene.server.tlsPort)",
                    "-ign_eof",
                    "-tls1_2",
                    "-cert",
                    scene.certificates["client.crt"],
                    "-key",
                    scene.certificates["client.key"]
                )
                try await openssl.line(containing: "SSL alert number 70")
                try await openssl.end()
            }
        }
    }
}
