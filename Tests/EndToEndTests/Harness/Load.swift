import Testing

/// Clients that write, read back and verify without end: `Clients/load.py`.
struct Load {
    let program: RunningProgram

    static func start(
        _ server: Server,
        plainClients: Int,
        tlsClients: Int = 0,
        pause: Int = 0,
        acceptsOutages: Bool = false
    ) async throws -> Load {
        var arguments = [
            "--plain", "\(server.plainPort)", "--plain-clients", "\(plainClients)",
            "--tls", "\(server.tlsPort)", "--tls-clients", "\(tlsClients)",
            "--certificates", try await Certificates.made().path, "--pause", "\(pause)",
        ]
        if acceptsOutages { arguments.append("--outages") }
        let load = Load(program: try .client("load.py", arguments, hasInput: true))
        try await load.program.line(containing: "well")
        return load
    }

    /// What must not happen and did.
    var wrong: [String] {
        program.lines(containing: "wrong") + program.lines(containing: "Traceback")
    }

    /// Waits until each client has had `more` right answers in addition.
    func verify(more: Int = 5) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        let target = leastVerified + more
        while leastVerified < target {
            try #require(wrong.isEmpty)
            try #require(ContinuousClock.now < deadline, "the clients are not served any more")
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Ends the clients, and returns how many exchanges they verified.
    func finish() async throws -> Int {
        try program.endInput()
        let ended = try await program.end()
        #expect(ended == .exited(0))
        #expect(wrong.isEmpty)
        let sum = program.lines(containing: "done").last?.split(separator: " ").last.flatMap { Int($0) }
        return try #require(sum)
    }

    /// How many exchanges the least served client has verified.
    private var leastVerified: Int {
        let line = program.lines.last { $0.text.hasPrefix("verified") }
        return line?.text.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }
}
