import Testing

extension EndToEnd.FieldReports {
    /// Clients that connect, ask once and leave, before a device that counts a connection for a while after its end.
    @Suite struct ComeAndGo {
        @Test func `each of forty gets its value with the defaults`() async throws {
            async let short = Self.right(of: 40, release: "100ms")
            async let usual = Self.right(of: 40, release: "1s")
            async let long = Self.right(of: 40, release: "5s")
            #expect(try await [short, usual, long] == ["right=40", "right=40", "right=40"])
        }

        /// Without lingering the device's connection is closed each time, and how long it takes is found out.
        @Test func `without lingering each gets it later`() async throws {
            async let short = Self.right(of: 10, release: "100ms", "--linger", "0s")
            async let usual = Self.right(of: 3, release: "1s", "--linger", "0s")
            #expect(try await [short, usual] == ["right=10", "right=3"])
        }

        /// Lets `count` clients come and go, 50 ms apart.
        private static func right(of count: Int, release: String, _ options: String...) async throws -> String? {
            let device = try await Device.start("--release-after", release)
            let server = try await Server.start(port: device.port, ["-p", "modbus"] + options)
            let clients = try RunningProgram.client("come_and_go.py", ["\(server.plainPort)", "--count", "\(count)"])
            try await clients.end(within: .seconds(60))
            return clients.lines.last?.text
        }
    }
}
