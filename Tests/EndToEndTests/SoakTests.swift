#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite struct SoakTests {
            private static let faults = [
                "late=0.5%:700ms", "lost=0.2%", "swallow=0.2%", "duplicate=1%", "wrong-id=0.3%", "wrong-unit=0.2%",
                "wrong-function=0.2%", "garbage=0.2%", "half=0.3%", "close=0.5%", "unsolicited=1%", "silent=3%",
                "refuse=5%",
            ]

            /// `make soak` runs it for longer.
            @Test func `with faults of all kinds no answer is wrong, no request lost, and nothing grows`() async throws
            {
                let device = try await Device.start(
                    ["--response-delay", "2ms"] + Self.faults.flatMap { ["--fault", $0] }
                )
                let server = try await Server.startWithTLS(
                    device,
                    ["--timeout", "400ms", "--queue-timeout", "5s", "--retry-delay", "50ms"]
                )
                let soak = try await Soak.start(
                    server,
                    device,
                    seconds: 40,
                    queueTimeout: 5,
                    plainClients: 14,
                    tlsClients: 6
                )
                let verdict = try await soak.verdict(within: .seconds(100))
                #expect(verdict["wrong"] == 0)
                #expect(verdict["lost"] == 0)
                #expect(verdict["closed"] == 0)
                #expect(verdict["killed", default: 0] > 2)
                #expect(verdict["answers", default: 0] > 500)

                device.program.send(signal: SIGTERM)
                let report = try await device.program.line(containing: "what happened").text
                print(report)
                #expect(report.contains(" most-at-once=1 "))
                #expect(report.hasSuffix(" writes-repeated=0"))
                let injected = report.matches(of: /fault-[a-z-]+=([0-9]+)/).compactMap { Int($0.1) }
                #expect(injected.count > 8)
                #expect(injected.reduce(0, +) > 20)
            }
        }
    }
#endif
