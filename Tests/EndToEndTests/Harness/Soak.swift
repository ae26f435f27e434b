import Testing

/// Clients of all kinds for a while, each of which knows what it must see: `Clients/soak.py`.
struct Soak {
    let program: RunningProgram

    static func start(
        _ server: Server,
        _ device: Device,
        seconds: Int,
        queueTimeout: Int,
        plainClients: Int,
        tlsClients: Int
    ) async throws -> Soak {
        let arguments = [
            "--plain", "\(server.plainPort)", "--plain-clients", "\(plainClients)", "--tls", "\(server.tlsPort)",
            "--tls-clients", "\(tlsClients)", "--certificates", try await Certificates.made().path,
            "--server-pid", "\(server.program.pid)", "--device-pid", "\(device.program.pid)",
            "--seconds", "\(seconds)", "--queue-timeout", "\(queueTimeout)", "--margin", "20", "--pause", "250",
        ]
        return Soak(program: try .client("soak.py", arguments))
    }

    /// Waits for the clients' end, and returns what they say of it.
    func verdict(within limit: Duration) async throws -> [String: Int] {
        let ended = try await program.end(within: limit)
        let said = program.lines.map(\.text).joined(separator: "\n")
        #expect(ended == .exited(0), "\(said)")
        let verdict = try #require(program.lines(containing: "verdict: ").last, "\(said)")
        print(verdict)
        return Dictionary(
            verdict.matches(of: /([a-z-]+|0x[0-9a-f]+)=([0-9]+)/).map { (String($0.1), Int($0.2) ?? 0) },
            uniquingKeysWith: { $1 }
        )
    }
}
