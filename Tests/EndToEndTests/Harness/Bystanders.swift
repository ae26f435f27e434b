import Testing

/// A device, a server with all its defences, and clients that verify every answer while others misbehave.
struct Scene {
    let device: Device
    let server: Server
    let bystanders: Load
    let certificates: Certificates

    @TaskLocal private static var current: Scene?

    /// That of the suite, which ``Bystanders`` has set.
    static func ofSuite() throws -> Scene {
        try #require(current, "the suite lacks the trait .bystanders")
    }

    /// Sets the scene around `body`, and looks at the end whether all bystanders were served throughout.
    static func set(_ serverOptions: [String], around body: () async throws -> Void) async throws {
        let device = try await Device.start()
        let server = try await Server.startWithTLS(device, serverOptions)
        let bystanders = try await Load.start(server, plainClients: 2, tlsClients: 2, pause: 5)
        let scene = Scene(
            device: device,
            server: server,
            bystanders: bystanders,
            certificates: try await Certificates.made()
        )
        try await $current.withValue(scene, operation: body)
        let verified = try await bystanders.finish()
        #expect(device.refusedConnections == 0)
        #expect(device.program.lines(containing: "client connected").count == 1)
        print("\(verified) exchanges of 4 bystanders verified meanwhile")
    }

    /// Expects that what `client` does has the server log exactly one refusal, with this reason, and disturbs nobody.
    func expectRefusal(_ reason: String, of client: () async throws -> Void) async throws {
        try await expectRefusals([reason], of: client)
    }

    /// Expects that what `client` does has the server log exactly one refusal for each reason, and disturbs nobody.
    func expectRefusals(_ reasons: [String], of client: () async throws -> Void) async throws {
        let start = server.program.lineCount
        try await client()
        for reason in reasons {
            let line = try await server.program.line(containing: "client refused", reason, from: start).text
            #expect(line.contains(/client=127\.0\.0\.[12]:[0-9]+ reason=".+" (.+ )?remedy=".+"/))
        }
        try await bystanders.verify()
        #expect(server.program.lines(containing: "refused", from: start).count == reasons.count)
        #expect(server.program.lines(from: start).count == reasons.count, "nothing else is worth a line")
    }

    /// Runs a connection that sends these bytes, to its end, and returns what it said.
    func send(
        _ bytes: [UInt8],
        to port: Int,
        _ options: String...,
        within limit: Duration = .seconds(20)
    ) async throws -> [String] {
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let client = try RunningProgram.client("raw.py", ["\(port)", "--send", hex] + options)
        try await client.end(within: limit)
        return client.lines.map(\.text)
    }
}

/// The tests of a suite share one ``Scene``, with bystanders who must be served throughout.
struct Bystanders: SuiteTrait, TestScoping {
    let serverOptions: [String]

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await RunningPrograms.ending {
            try await Scene.set(serverOptions, around: function)
        }
    }
}

extension Trait where Self == Bystanders {
    /// Bystanders of a server with these options.
    static func bystanders(_ serverOptions: String...) -> Self { Self(serverOptions: serverOptions) }
}
