#if os(Linux)
    import Foundation
    import Testing

    extension EndToEnd {
        @Suite(
            .enabled("needs network namespaces, /dev/net/tun, ip and nsenter") { try await Network.obstacle() == nil }
        )
        struct NetworkFaults {
            /// What is more than the multiplexer's own times is the machine's: it may be slow.
            private static let margin = Duration.seconds(2)
            /// An attempt into a hole takes so long, which is a part of a backoff's step; the log tells the rest of it.
            private static let connectTimeout = Duration.seconds(1)
            private static let times = [
                "-v", "--timeout", "1s", "--queue-timeout", "3s", "--connect-timeout", "1s", "--retry-delay", "300ms",
            ]

            // A hole of the far side: requests arrive and are carried out, answers do not.
            @Test(arguments: ["hole", "hole far", "pull"])
            func `a device that cannot be reached any more delays nobody beyond the timeouts, and is back at once`(
                fault: String
            ) async throws {
                let network = try await Network.start()
                // With room for more: one that takes a single connection refuses us until the end of the old one, which the
                // system repeats at growing intervals, has reached it.
                let device = try await network.device(.far, ["--connections", "0"])
                let server = try await network.server(device, Self.times)
                let clients = try await clients(network, server, 4)
                _ = try await clients.summary()

                try await network.tell(fault)
                let first = try await clients.program.line(containing: "failing 0x0b").text
                let took = try #require(first.split(separator: " ").last.flatMap { Double($0) })
                #expect(took > 0.9)
                #expect(Duration.seconds(took) < .seconds(1) + Self.margin)
                // Long enough for the connection to be given up and for some attempts to fail.
                try await clients.program.line(containing: "failing 0x0a")
                try await Task.sleep(for: .seconds(2))
                let during = try await clients.summary()
                #expect(during.failures > 0)
                #expect(during.worst < .seconds(3) + Self.margin)

                let start = clients.program.lineCount
                try await network.tell("open")
                let opened = ContinuousClock.now
                let well = try await clients.program.line(containing: "well", from: start).time
                let step = Self.connectTimeout + (server.retryDelay(until: well) ?? .zero)
                #expect(well - opened < step + Self.margin)
                let after = try await clients.summary()
                print(
                    """
                    \(fault): 0x0B after \(took) s, the longest wait \(during.worst), service back \(well - opened) after \
                    its end (backoff step \(step)); worst then \(after.worst)
                    """
                )
                try await clients.finish()
            }

            @Test func `a short hole is survived on the same connection`() async throws {
                let network = try await Network.start()
                let device = try await network.device(.far)
                let server = try await network.server(device, ["--timeout", "15s", "--queue-timeout", "20s"])
                let clients = try await clients(network, server, 4)
                try await network.tell("hole")
                try await Task.sleep(for: .milliseconds(700))
                try await network.tell("open")
                try await Task.sleep(for: .seconds(2))
                let seen = try await clients.summary()
                #expect(seen.failures == 0)
                #expect(seen.exchanges > 0)
                try await clients.finish()
                #expect(device.program.lines(containing: "client connected").count == 1)
            }

            @Test func `packets that get lost or take their time make no answer wrong`() async throws {
                let network = try await Network.start()
                let device = try await network.device(.far)
                let server = try await network.server(device, ["--timeout", "10s", "--queue-timeout", "20s"])
                try await network.tell("delay 5")
                try await network.tell("loss 3")
                let load = Load(
                    program: try network.client(
                        .near,
                        "load.py",
                        ["--plain", "\(server.plainPort)", "--plain-clients", "6", "--outages"],
                        hasInput: true
                    )
                )
                try await load.program.line(containing: "well", within: .seconds(60))
                try await Task.sleep(for: .seconds(5))
                let verified = try await load.finish()
                print("3 % of packets lost, 5 ms each way: \(verified) exchanges verified")
                #expect(device.refusedConnections == 0)
            }

            @Test func `a device that was switched off without a word is found again`() async throws {
                let network = try await Network.start()
                var device = try await network.device(.far)
                let server = try await network.server(device, Self.times)
                let clients = try await clients(network, server, 3)
                // Its end of the connection is gone, and nobody heard of it.
                try await network.tell("hole")
                device.program.send(signal: SIGKILL)
                try await device.program.end()
                device = try await network.device(.far, port: device.port)
                let start = clients.program.lineCount
                try await clients.program.line(containing: "failing 0x0b")
                try await network.tell("open")
                let opened = ContinuousClock.now
                let well = try await clients.program.line(containing: "well", from: start).time
                let step = Self.connectTimeout + (server.retryDelay(until: well) ?? .zero)
                #expect(well - opened < step + Self.margin)
                try await clients.finish()
            }

            @Test func `a client that vanished is let go, and its request is nobody's burden`() async throws {
                let network = try await Network.start()
                let device = try await network.device(.near, ["--response-delay", "500ms"])
                let server = try await network.server(
                    device,
                    on: .near,
                    ["-v", "--client-idle-timeout", "3s", "--timeout", "10s"]
                )
                let host = ["\(server.plainPort)", "--host", Network.Host.near.address]
                let request = "00010000000601039c400002"
                let idle = try network.client(.far, "raw.py", host)
                let asking = try network.client(.far, "raw.py", host + ["--send", request])
                try await idle.line(containing: "connected")
                try await asking.line(containing: "connected")
                try await network.tell("hole")
                let clients = try await clients(network, server, 1)
                let deadline = ContinuousClock.now + .seconds(20)
                while server.program.lines(containing: "client closed", "10.77.0.2", "idle timeout").count < 2 {
                    try #require(ContinuousClock.now < deadline, "a client that vanished is kept")
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await clients.summary().failures == 0)
                try await clients.finish()
            }

            /// Clients on the server's own host, whom no fault of the cable touches.
            private func clients(_ network: Network, _ server: Server, _ count: Int) async throws -> Latency {
                let arguments = ["\(server.plainPort)", "--clients", "\(count)", "--pause", "20"]
                return try await Latency(network.client(.near, "latency.py", arguments, hasInput: true))
            }
        }
    }
#endif
