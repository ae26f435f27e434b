#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite struct OneUpstreamSocket {
            /// Trap T22: two connections to a device that takes one.
            @Test func `over a hundred reconnects under load there is never more than one socket`() async throws {
                let device = try await Device.start("--close-after", "12", "--response-delay", "1ms")
                let server = try await Server.startWithTLS(device, ["--retry-delay", "20ms"])
                let looking = try RunningProgram.client(
                    "upstream_sockets.py",
                    ["--pid", "\(server.program.pid)", "--port", "\(device.port)"],
                    hasInput: true
                )
                try await looking.line(containing: "looking")
                let load = try await Load.start(
                    server,
                    plainClients: 5,
                    tlsClients: 2,
                    pause: 5,
                    acceptsOutages: true
                )
                let deadline = ContinuousClock.now + .seconds(40)
                while device.program.lines(containing: "client connected").count < 120 {
                    try #require(ContinuousClock.now < deadline, "there are too few reconnects")
                    try await Task.sleep(for: .milliseconds(20))
                }
                _ = try await load.finish()
                try looking.endInput()
                try await looking.end()
                let seen = try #require(looking.lines(containing: "most ").last)
                device.program.send(signal: SIGTERM)
                let report = try await device.program.line(containing: "what happened").text
                print("\(seen); the device: \(report)")
                #expect(seen.hasPrefix("most 1 "))
                #expect(report.contains(" most-at-once=1 "))
            }

            /// Some devices still count a connection for a moment that has ended.
            @Test func `a device that lets go late is left alone until it has`() async throws {
                let device = try await Device.start("--close-after", "12", "--release-after", "200ms")
                let server = try await Server.startWithTLS(device, ["--retry-delay", "20ms", "--settle", "600ms"])
                let load = try await Load.start(server, plainClients: 3, pause: 5, acceptsOutages: true)
                let deadline = ContinuousClock.now + .seconds(40)
                while device.program.lines(containing: "client connected").count < 4 {
                    try #require(ContinuousClock.now < deadline, "there are too few reconnects")
                    try await Task.sleep(for: .milliseconds(20))
                }
                _ = try await load.finish()
                #expect(device.refusedConnections == 0)
            }
        }
    }
#endif
