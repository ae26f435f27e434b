import Foundation
import Testing

extension EndToEnd {
    @Suite struct Stopping {
        /// Reads two registers at 40000 with transaction id 1, then at 40002 with 2.
        private static let requests = "00010000000601039c400002" + "00020000000601039c420002"
        private static let response = "00010000000701030453756e53"

        @Test(arguments: [SIGTERM, SIGINT])
        func `a signal drains: in flight is answered, waiting gets 0x0A, then exit 0`(signal: Int32) async throws {
            let device = try await Device.start("--response-delay", "1s")
            let server = try await Server.startWithTLS(device, ["-d"])
            let idle = try client(server.plainPort)
            try await server.program.line(containing: "client connected")
            // The first of its requests is in flight, the second waits.
            let first = try client(server.plainPort, "--send", Self.requests)
            try await server.program.line(containing: "sent", "transaction=")
            let overTLS = try client(
                server.tlsPort,
                "--certificates",
                try await Certificates.made().path,
                "--send",
                Self.requests
            )
            try await waitForRequests(4, server)

            let start = ContinuousClock.now
            server.program.send(signal: signal)
            #expect(try await server.program.end() == .exited(0))
            let time = ContinuousClock.now - start
            #expect(time < .seconds(3))
            #expect(try await received(by: first) == "000200000003" + "01830a" + Self.response)
            #expect(try await received(by: overTLS) == "000100000003" + "01830a" + "000200000003" + "01830a")
            #expect(try await received(by: idle) == "")
            #expect(server.program.lines(containing: "stopped").count == 1)
            try await device.program.line(containing: "client gone")
            #expect(device.program.lines(containing: "client connected").count == 1)
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func `a second signal stops at once`(signal: Int32) async throws {
            let device = try await Device.start("--response-delay", "20s")
            let server = try await Server.start(device, "-d", "--timeout", "30s")
            let waiting = try client(server.plainPort, "--send", Self.requests)
            try await server.program.line(containing: "sent", "transaction=")
            server.program.send(signal: signal)
            try await server.program.line(containing: "stopping")
            // Earlier it would count as the same signal.
            try await Task.sleep(for: .milliseconds(300))
            let start = ContinuousClock.now
            server.program.send(signal: signal)
            #expect(try await server.program.end() == .exited(1))
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(server.program.lines(containing: "stopped at once").count == 1)
            _ = try await waiting.end()
        }

        @Test func `two signals at once count as one`() async throws {
            let device = try await Device.start("--response-delay", "1s")
            let server = try await Server.start(device, "-d")
            let waiting = try client(server.plainPort, "--send", Self.requests)
            try await server.program.line(containing: "sent", "transaction=")
            // Different ones, since the system merges equal ones that nobody has looked at yet.
            server.program.send(signal: SIGTERM)
            server.program.send(signal: SIGINT)
            #expect(try await server.program.end() == .exited(0))
            #expect(try await received(by: waiting) == "000200000003" + "01830a" + Self.response)
        }

        @Test func `a hangup cuts no drain short`() async throws {
            let device = try await Device.start("--response-delay", "1500ms")
            let server = try await Server.start(device, "-d")
            let waiting = try client(server.plainPort, "--send", Self.requests)
            try await server.program.line(containing: "sent", "transaction=")
            server.program.send(signal: SIGTERM)
            try await server.program.line(containing: "stopping")
            for _ in 1...2 {
                try await Task.sleep(for: .milliseconds(300))
                server.program.send(signal: SIGHUP)
            }
            #expect(try await server.program.end() == .exited(0))
            #expect(try await received(by: waiting) == "000200000003" + "01830a" + Self.response)
            #expect(server.program.lines(containing: "the server is stopping").count == 2)
        }

        @Test func `without clients a signal ends it quickly`() async throws {
            let device = try await Device.start()
            let server = try await Server.startWithTLS(device)
            let start = ContinuousClock.now
            server.program.send(signal: SIGTERM)
            #expect(try await server.program.end() == .exited(0))
            #expect(ContinuousClock.now - start < .seconds(2))
            device.program.send(signal: SIGTERM)
            #expect(try await device.program.end() == .exited(0))
        }

        @Test func `a handshake that hangs does not hold up the end`() async throws {
            let device = try await Device.start()
            let server = try await Server.startWithTLS(device, ["-v"])
            let hanging = try client(server.tlsPort, "--send", "16")
            try await hanging.line(containing: "connected")
            let start = ContinuousClock.now
            server.program.send(signal: SIGTERM)
            #expect(try await server.program.end() == .exited(0))
            #expect(ContinuousClock.now - start < .seconds(2))
            try await hanging.end()
            // A reset if its byte was never read.
            let last = hanging.lines.last?.text
            #expect(last == "closed" || last == "reset")
        }

        @Test func `a device that does not answer any more holds up the end for its time only`() async throws {
            let device = try await Device.start()
            let server = try await Server.start(device, "-d", "--timeout", "1s")
            device.program.send(signal: SIGSTOP)
            let first = try client(server.plainPort, "--send", Self.requests)
            try await server.program.line(containing: "sent", "transaction=")
            server.program.send(signal: SIGTERM)
            #expect(try await server.program.end() == .exited(0))
            #expect(try await received(by: first) == "000200000003" + "01830a" + "000100000003" + "01830b")
            device.program.send(signal: SIGCONT)
        }

        @Test func `clients that read nothing hold up the end for ten seconds at most`() async throws {
            let device = try await Device.start()
            let server = try await Server.start(device)
            let deaf = try RunningProgram.client("deaf.py", ["\(server.plainPort)"], hasInput: true)
            try await deaf.line(containing: "stalled")
            let start = ContinuousClock.now
            server.program.send(signal: SIGTERM)
            #expect(try await server.program.end() == .exited(0))
            #expect(ContinuousClock.now - start < .seconds(13))
        }

        private func client(_ port: Int, _ options: String...) throws -> RunningProgram {
            try .client("raw.py", ["\(port)"] + options)
        }

        private func waitForRequests(_ count: Int, _ server: Server) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            while server.program.lines(containing: "asks=").count < count {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(10))
            }
        }

        /// All bytes that a client got until it was closed, in hexadecimal.
        private func received(by client: RunningProgram) async throws -> String {
            try await client.end()
            #expect(client.lines.last?.text == "closed")
            return client.lines(containing: "received").map { $0.dropFirst("received ".count) }.joined()
        }
    }
}
