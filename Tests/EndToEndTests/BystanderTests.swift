import Testing

extension EndToEnd {
    /// A client that polls beside one that asks, as fast as it can, for what it should not: `Clients/bystander.py`.
    @Suite struct Bystander {
        // `make bystander` measures more of them, and for longer.
        @Test(arguments: [
            ["hang-up", "--reconnect"], ["hang-up-elsewhere"], ["crafted"], ["vendors"],
            ["hang-up-elsewhere", "--http"], ["hang-up-elsewhere", "--http", "--closing"],
            ["hang-up-write", "--writes"], ["hang-up-elsewhere", "--reconnect", "--arrives"],
            ["hang-up", "--counted", "0.05"], ["hang-up-elsewhere", "--reconnect", "--counted", "0.02"],
        ])
        func `nobody pays for another's requests`(attack: [String]) async throws {
            let bystander = try RunningProgram.client("bystander.py", attack + ["--seconds", "2"], hasInput: true)
            let server = try await Server.start(
                port: try await bystander.portSaid(),
                "-p",
                attack.contains("--http") ? "http" : "modbus"
            )
            try bystander.tell("server \(server.plainPort)")
            #expect(try await bystander.end(within: .seconds(60)) == .exited(0))
            let said = try #require(bystander.lines(containing: "bystander: ").last)
            print("\(attack.joined(separator: " ")): \(said)")
            let percent = try #require(said.firstMatch(of: /percent=([0-9.]+)/).flatMap { Double($0.1) })
            // What it takes to find out is in these two seconds.
            #expect(percent >= 90)
        }
    }
}
