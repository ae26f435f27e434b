import Foundation
import Testing

extension EndToEnd {
    @Suite struct Overload {
        @Test func `clients that use up all descriptors take none from others or from the device`() async throws {
            let device = try await Device.start()
            let server = try await Server.start(device, openFiles: 64)
            let line = try await server.program.line(containing: "fewer clients are accepted than configured").text
            #expect(line.contains("open-files=64") && line.contains("remedy="))

            let load = try await Load.start(server, plainClients: 4, acceptsOutages: true)
            let crowd = try RunningProgram.client(
                "silent_flood.py",
                ["\(server.plainPort)", "--clients", "300"],
                hasInput: true
            )
            try await crowd.line(containing: "open 300")
            try await load.verify(more: 20)
            let late = try RunningProgram.client("raw.py", ["\(server.plainPort)", "--send", request])
            try await late.line(containing: "received")

            // With every place taken, the connection to the device must still have a descriptor.
            device.program.send(signal: SIGKILL)
            try await device.program.end()
            let again = try await Device.start(port: device.port)
            try await load.verify(more: 20)
            #expect(again.refusedConnections == 0)

            #expect(server.program.lines(containing: "no client can be accepted").isEmpty)
            let evictions = server.program.lines(containing: "to make room for another")
            #expect((1...20).contains(evictions.count), "300 connections, \(evictions.count) lines")
            try crowd.endInput()
        }

        private let request = "000100000006010300000001"

        #if os(Linux)
            @Test func `out of descriptors it waits, tells so, and goes on when there are some`() async throws {
                let device = try await Device.start()
                let server = try await Server.start(device)
                let load = try await Load.start(server, plainClients: 4)

                try await limitOpenFiles(of: server, to: 8)
                let shut = try RunningProgram.client("raw.py", ["\(server.plainPort)", "--send", request])
                let line = try await server.program.line(containing: "no client can be accepted").text
                #expect(line.contains("Too many open files") && line.contains("remedy="), "\(line)")
                try await load.verify(more: 50)
                // A connection that cannot be accepted stays there: trying again at once would go on without end.
                try await Task.sleep(for: .seconds(3))
                let tried = server.program.lines(containing: "no client can be accepted").count
                #expect((1...3).contains(tried), "of 4 to 6 attempts the 1st, 2nd and 4th are told")
                try await load.verify(more: 50)

                try await limitOpenFiles(of: server, to: 1024)
                try await shut.line(containing: "received")
                try await load.verify(more: 50)
                _ = try await load.finish()
                #expect(device.program.lines(containing: "client connected").count == 1)
            }

            private func limitOpenFiles(of server: Server, to limit: Int) async throws {
                let prlimit = try RunningProgram.system(
                    "prlimit",
                    "--pid",
                    "\(server.program.pid)",
                    "--nofile=\(limit):"
                )
                let ended = try await prlimit.end()
                try #require(ended == .exited(0))
            }
        #endif
    }
}

extension Server {
    /// A server that may have `openFiles` descriptors.
    fileprivate static func start(_ device: Device, openFiles: Int) async throws -> Server {
        let program = try RunningProgram(
            Tools.system("sh"),
            ["-c", "ulimit -n \(openFiles); exec \"$0\" \"$@\"", Tools.multiplexer().path]
                + ["server", "-p", "modbus", "-t", "127.0.0.1:\(device.port)", "-l", "127.0.0.1:0"]
        )
        return Server(program: program, plainPort: try await program.port(announcedBy: "plain TCP"), tlsPort: 0)
    }
}
