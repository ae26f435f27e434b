import Foundation
import Testing

extension EndToEnd {
    @Suite struct DeviceOutage {
        @Test func `clients outlast a killed device and get values within one backoff step of its return`() async throws
        {
            var device = try await Device.start("--response-delay", "2ms")
            let server = try await Server.startWithTLS(device, ["-v", "--retry-delay", "200ms"])
            let load = try await Load.start(server, plainClients: 6, tlsClients: 4, acceptsOutages: true)

            for outage in [Duration.milliseconds(300), .milliseconds(2_500)] {
                try await load.verify()
                let start = load.program.lineCount
                device.program.send(signal: SIGKILL)
                #expect(try await device.program.end() == .killed(signal: SIGKILL))
                // What was in flight: a read is tried once more, a write gets 0x0b.
                try await load.program.line(containing: "failing 0x0a", from: start)
                try await Task.sleep(for: outage)

                let logStart = server.program.lineCount
                device = try await Device.start("--response-delay", "2ms", port: device.port)
                let back = try await device.program.line(containing: "simulating").time
                let connected = try await server.program.line(containing: "connected to the device", from: logStart)
                let well = try await load.program.line(containing: "well", from: start)
                let step = try #require(server.retryDelay(until: connected.time))
                // A second for a busy machine, another for ten clients' rounds.
                #expect(connected.time - back < step + .seconds(1))
                #expect(well.time - back < step + .seconds(2))
                print(
                    """
                    after an outage of \(outage): connected \(connected.time - back) after the device's return, all \
                    clients served after \(well.time - back); the backoff step was \(step)
                    """
                )
            }
            // None was ever disconnected: that would be wrong, and end the client.
            _ = try await load.finish()
            #expect(server.program.lines(containing: "client left").count <= 10)
            #expect(device.refusedConnections == 0)
        }

        @Test func `clients outlast a device that falls silent`() async throws {
            let device = try await Device.start()
            let server = try await Server.startWithTLS(device, ["--timeout", "300ms", "--retry-delay", "200ms"])
            let load = try await Load.start(server, plainClients: 3, tlsClients: 2, acceptsOutages: true)
            try await load.verify()
            let start = load.program.lineCount
            device.program.send(signal: SIGSTOP)
            try await load.program.line(containing: "failing 0x0b", from: start)
            try await load.program.line(containing: "failing 0x0a", from: start)
            device.program.send(signal: SIGCONT)
            try await load.program.line(containing: "well", from: start)
            try await load.verify()
            _ = try await load.finish()
        }
    }
}
