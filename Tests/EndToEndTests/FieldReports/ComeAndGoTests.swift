import Testing

extension EndToEnd.FieldReports {
    /// Clients that connect, ask once and leave, before a device that counts a connection for a while after its end.
    @Suite struct ComeAndGo {
        @Test(arguments: ["100ms", "1s", "5s"])
        func `each of forty gets its value with the defaults`(release: String) async throws {
            #expect(try await Self.right(of: 40, release: release) == "right=40")
        }

        /// Without lingering the device's connection is closed each time, and how long it takes is found out.
        @Test(arguments: [("100ms", 10), ("1s", 3)])
        func `without lingering each gets it later`(release: String, count: Int) async throws {
            #expect(try await Self.right(of: count, release: release, "--linger", "0s") == "right=\(count)")
        }

        /// Lets so many clients come and go, 50 ms apart.
        private static func right(of count: Int, release: String, _ options: String...) async throws -> String? {
            let device = try await Device.start("--release-after", release)
            let server = try await Server.start(port: device.port, ["-p", "modbus"] + options)
            let clients = try RunningProgram.client("come_and_go.py", ["\(server.plainPort)", "--count", "\(count)"])
            try await clients.end(within: .seconds(60))
            return clients.lines.last?.text
        }
    }
}
