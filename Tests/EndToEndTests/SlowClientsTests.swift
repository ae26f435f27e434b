import Foundation
import Testing

extension EndToEnd {
    @Suite struct SlowClients {
        @Test func `who never reads and who sends a byte per second do not slow down a third`() async throws {
            let device = try await Device.start("--response-delay", "2ms")
            // So that who never reads stays.
            let server = try await Server.start(device, "--client-write-timeout", "2m")
            let third = try await Latency.start(server.plainPort)
            _ = try await third.summary()
            try await Task.sleep(for: .seconds(4))
            let alone = try await third.summary()

            let deaf = try RunningProgram.client("deaf.py", ["\(server.plainPort)", "--clients", "4"], hasInput: true)
            try await deaf.line(containing: "stalled", within: .seconds(60))
            let slow = try (0..<4).map { _ in
                try RunningProgram.client(
                    "raw.py",
                    ["\(server.plainPort)", "--drip", "1", "--send", "00010000000601039c400004", "--seconds", "60"]
                )
            }
            for client in slow { try await client.line(containing: "connected") }
            try await waitUntilOnlyTheThirdAsks(device, third)
            _ = try await third.summary()
            try await Task.sleep(for: .seconds(4))
            let beside = try await third.summary()
            print(
                """
                alone: \(alone.text); beside 4 that never read and 4 that send a byte per second: \(beside.text); \
                ratio of the medians \(beside.median / alone.median)
                """
            )
            #expect(beside.failures == 0)
            #expect(beside.exchanges > alone.exchanges / 3)
            // More than that is the machine's, when it is busy with other things.
            #expect(beside.median < alone.median * 2 + .milliseconds(5))
            try await third.finish()
        }

        /// Waits until nobody's answers have room any more: up to then, who never reads is a client like any other.
        private func waitUntilOnlyTheThirdAsks(_ device: Device, _ third: Latency) async throws {
            let deadline = ContinuousClock.now + .seconds(40)
            while true {
                _ = try await third.summary()
                let before = try await requests(device)
                try await Task.sleep(for: .seconds(1))
                let asked = try await requests(device) - before
                // The four that send a byte per second ask now and then.
                if asked <= (try await third.summary().exchanges) + 8 { return }
                try #require(ContinuousClock.now < deadline, "those who never read are still being answered")
            }
        }

        /// How many requests the device has received.
        private func requests(_ device: Device) async throws -> Int {
            let start = device.program.lineCount
            device.program.send(signal: SIGUSR1)
            let report = try await device.program.line(containing: "what happened", from: start).text
            return try #require(report.firstMatch(of: /\brequests=([0-9]+)/).flatMap { Int($0.1) })
        }
    }
}

extension Latency.Summary {
    fileprivate var text: String {
        "\(exchanges) exchanges, median \(median), 90 % \(p90), 99 % \(p99), worst \(worst)"
    }
}
