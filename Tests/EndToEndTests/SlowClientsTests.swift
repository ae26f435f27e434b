import Foundation
import Testing

extension EndToEnd {
    @Suite struct SlowClients {
        @Test func `who never reads and who sends a byte per second do not slow down a third`() async throws {
            let device = try await Device.start("--response-delay", "5ms")
            let server = try await Server.start(device)
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
            // Of a busy machine, which is not what is measured.
            #expect(beside.median < alone.median * 3 + .milliseconds(20))
            try await third.finish()
        }
    }
}

extension Latency.Summary {
    fileprivate var text: String {
        "\(exchanges) exchanges, median \(median), 90 % \(p90), 99 % \(p99), worst \(worst)"
    }
}
