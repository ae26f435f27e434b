#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite struct SoakTests {
            /// How the device is reached, and what of its faults its wire has no room for.
            struct Wire: CustomTestStringConvertible {
                let testDescription: String
                var device: [String] = []
                var server: [String] = []
                var impossible: Set<String> = []
            }

            private static let wires = [
                Wire(testDescription: "one request at a time"),
                Wire(
                    testDescription: "several requests at a time, responses kept, writes first",
                    server: ["--max-in-flight", "8", "--max-age", "10s", "--write-priority"]
                ),
                Wire(
                    testDescription: "no transaction ids",
                    device: ["-p", "modbus-serial"],
                    server: ["--target-protocol", "modbus-serial", "--no-broadcast"],
                    impossible: ["wrong-id=0.3%"]
                ),
            ]

            private static let faults = [
                "late=0.5%:700ms", "lost=0.2%", "swallow=0.2%", "duplicate=1%", "wrong-id=0.3%", "wrong-unit=0.2%",
                "wrong-function=0.2%", "garbage=0.2%", "half=0.3%", "close=0.5%", "unsolicited=1%", "silent=3%",
                "refuse=5%",
            ]

            /// `make soak` runs it for longer.
            @Test(arguments: wires)
            func `with faults of all kinds no answer is wrong, no request lost, and nothing grows`(
                wire: Wire
            ) async throws {
                let faults = Self.faults.filter { !wire.impossible.contains($0) }.flatMap { ["--fault", $0] }
                let device = try await Device.start(["--response-delay", "2ms"] + wire.device + faults)
                let server = try await Server.startWithTLS(
                    device,
                    ["--timeout", "400ms", "--queue-timeout", "5s", "--retry-delay", "50ms"] + wire.server
                )
                let soak = try await Soak.start(
                    server,
                    device,
                    seconds: 13,
                    queueTimeout: 5,
                    plainClients: 14,
                    tlsClients: 6
                )
                let verdict = try await soak.verdict(within: .seconds(100))
                #expect(verdict["wrong"] == 0)
                #expect(verdict["lost"] == 0)
                #expect(verdict["closed"] == 0)
                #expect(verdict["killed", default: 0] > 1)
                #expect(verdict["answers", default: 0] > 200)

                device.program.send(signal: SIGTERM)
                let report = try await device.program.line(containing: "what happened").text
                print(report)
                #expect(report.contains(" most-at-once=1 "))
                #expect(report.hasSuffix(" writes-repeated=0"))
                let injected = report.matches(of: /fault-[a-z-]+=([0-9]+)/).compactMap { Int($0.1) }
                #expect(injected.count > 4)
                #expect(injected.reduce(0, +) > 10)
            }
        }
    }
#endif
