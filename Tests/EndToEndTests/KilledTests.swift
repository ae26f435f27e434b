import Foundation
import Testing

extension EndToEnd {
    @Suite struct Killed {
        /// Reads four registers at 40000, with transaction ids from 1 on.
        private static func requests(_ count: Int) -> String {
            (1...count).map { Hex.frame($0, Hex.read(40_000, count: 4)) }.joined()
        }

        @Test(arguments: [false, true])
        func `clients killed with -9 in the middle of anything disturb nobody`(overTLS: Bool) async throws {
            let device = try await Device.start("--response-delay", "20ms")
            let server = try await Server.startWithTLS(device, ["-v"])
            let bystanders = try await Load.start(server, plainClients: 2, tlsClients: 1, pause: 5)
            let port = overTLS ? server.tlsPort : server.plainPort
            let tls = overTLS ? ["--certificates", try await Certificates.made().path] : []

            for round in 0..<4 {
                let requests = [
                    // In the middle of a request, with one in flight, and with more than one waiting.
                    String(Self.requests(1).dropLast(2 + 6 * round)), Self.requests(1), Self.requests(20),
                ]
                let clients = try requests.map {
                    try RunningProgram.client("raw.py", ["\(port)", "--send", $0] + tls)
                }
                for client in clients { try await client.line(containing: "connected") }
                try await Task.sleep(for: .milliseconds(10 * round))
                for client in clients { client.send(signal: SIGKILL) }
                for client in clients { #expect(try await client.end() == .killed(signal: SIGKILL)) }
            }
            // In the middle of responses: their windows are full, and much waits for them here.
            let deaf = try RunningProgram.client("deaf.py", ["\(port)", "--clients", "2"] + tls, hasInput: true)
            try await deaf.line(containing: "stalled", within: .seconds(60))
            deaf.send(signal: SIGKILL)
            try await deaf.end()

            try await bystanders.verify(more: 20)
            _ = try await bystanders.finish()
            try await expectAllGone(server)
            #expect(device.program.lines(containing: "client connected").count == 1)
        }

        @Test(arguments: [1, 6, 7, 12])
        func `a device killed in the middle of an answer costs its request, and nothing of it is shown`(
            bytes: Int
        ) async throws {
            let dying = try await IndependentDevice.start("dying.py", "--answers", "3", "--bytes", "\(bytes)")
            // The client reads the same four times, and the device is to be asked as often.
            let server = try await Server.start(
                port: dying.port,
                "-p",
                "modbus",
                "-v",
                "--retry-delay",
                "200ms",
                "--no-coalesce"
            )
            let client = try RunningProgram.client(
                "raw.py",
                ["\(server.plainPort)", "--seconds", "60", "--send", Self.requests(4)]
            )
            #expect(try await dying.program.end() == .killed(signal: SIGKILL))
            let answers = (1...3).map { Hex.frame($0, "0308" + "53756e5300010042") } + [Hex.frame(4, "830b")]
            try await expect(client, toHaveReceived: answers.joined())

            let device = try await Device.start(port: dying.port)
            // Its clients are well once it has been found again.
            let latency = try await Latency.start(server.plainPort)
            _ = try await latency.summary()
            try await Task.sleep(for: .milliseconds(300))
            #expect(try await latency.summary().failures == 0)
            try await latency.finish()
            #expect(device.refusedConnections == 0)
            client.send(signal: SIGKILL)
        }

        private func expect(_ client: RunningProgram, toHaveReceived expected: String) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            var received = ""
            while received.count < expected.count, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(10))
                received = client.lines(containing: "received").map { $0.dropFirst("received ".count) }.joined()
            }
            #expect(received == expected)
        }

        /// Expects that the server has noticed that everybody left.
        private func expectAllGone(_ server: Server) async throws {
            let deadline = ContinuousClock.now + .seconds(20)
            var (came, left) = (0, -1)
            while came != left, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
                came = server.program.lines(containing: "client connected").count
                left = ["client left", "client closed", "client connection failed"].map {
                    server.program.lines(containing: $0).count
                }.reduce(0, +)
            }
            #expect(came == left)
        }
    }
}
