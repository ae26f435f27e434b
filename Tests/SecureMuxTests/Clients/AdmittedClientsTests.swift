import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// Which clients a full listener takes, on real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AdmittedClientsTests {
    private static let request = read(transaction: 1, unit: 1, address: 0, count: 1)

    @Test func `a flood of clients that say nothing keeps nobody out`() async throws {
        try await withFloodedServer { server, flood in
            var served: [TestPeer] = []
            // As many as may come in all: then the flood is gone.
            for _ in 0..<8 {
                let client = try await TestPeer.connect(to: server.port)
                try await expectService(client)
                served.append(client)
                flood += try await silentClients(5, at: server.port)
            }
            for client in served { try await expectService(client) }
            let refused = try await TestPeer.connect(to: server.port)
            #expect(try await refused.receiveToEnd() == [])
            try await server.line(containing: "warning client refused", "8 clients are connected", "'max-clients")
            #expect(server.lines(containing: "to make room").count > 1)
            #expect(server.lines(containing: "warning closed a client").count < 10)
        }
    }

    @Test func `a flood over TLS that says nothing, or half of something, keeps nobody out`() async throws {
        let certificates = try await DevelopmentCertificates.made()
        // So that the flood does not end by itself.
        var tls = certificates.server(.required)
        tls.handshakeTimeout = .seconds(60)
        try await withFloodedServer(tls: tls) { server, flood in
            for part: [UInt8] in [
                [0x16], [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3], [0x16, 3, 1, 0x3F, 0xFF, 1, 0, 0xFF],
            ] {
                for _ in 0..<10 {
                    let client = try await TestPeer.connect(to: server.port)
                    client.channel.writeAndFlush(ByteBuffer(bytes: part), promise: nil)
                    flood.append(client)
                }
                let client = try await TestPeer.connect(
                    to: server.port,
                    tls: TLSContext(client: certificates.client("client"))
                )
                try await expectService(client)
                flood.append(client)
            }
            // Who made room is told once in a while, and not again as a failed handshake.
            #expect(server.lines(containing: "client refused").isEmpty)
        }
    }

    @Test func `an address has its share, and others are not kept out by it`() async throws {
        try await withServers(ClientLimits(clients: 100, clientsPerAddress: 3)) { server in
            var greedy: [TestPeer] = []
            for _ in 0..<3 {
                greedy.append(try await TestPeer.connect(to: server.port, from: "127.0.0.2"))
                try await expectService(greedy[greedy.count - 1])
            }
            let refused = try await TestPeer.connect(to: server.port, from: "127.0.0.2")
            #expect(try await refused.receiveToEnd() == [])
            let line = try await server.line(containing: "client refused", "'max-clients-per-address'")
            #expect(line.contains("client=127.0.0.2:") && line.contains("3 clients are connected from its address"))
            try await expectService(try await TestPeer.connect(to: server.port, from: "127.0.0.3"))

            try await greedy.removeFirst().close()
            try await server.line(containing: "client left")
            try await expectService(try await TestPeer.connect(to: server.port, from: "127.0.0.2"))
        }
    }

    @Test func `who has spoken once is not driven out`() async throws {
        try await withServers(ClientLimits(clients: 3, clientsPerAddress: 3)) { server in
            let (first, second) = (
                try await TestPeer.connect(to: server.port), try await TestPeer.connect(to: server.port)
            )
            try await expectService(first)
            try await expectService(second)
            var others: [TestPeer] = []
            for _ in 0..<10 { others.append(try await TestPeer.connect(to: server.port)) }
            for other in others.dropLast() { #expect(try await other.receiveToEnd() == []) }
            for client in [first, second, others[9]] { try await expectService(client) }
        }
    }

    private func expectService(_ client: TestPeer) async throws {
        #expect(try await client.exchange(Self.request).count == 11)
    }

    private func silentClients(_ count: Int, at port: Int) async throws -> [TestPeer] {
        var clients: [TestPeer] = []
        for _ in 0..<count { clients.append(try await TestPeer.connect(to: port)) }
        return clients
    }

    /// A server for eight clients, to which many more have connected that say nothing.
    private func withFloodedServer(
        tls: TLSServerConfiguration? = nil,
        _ body: (RunningServer, inout [TestPeer]) async throws -> Void
    ) async throws {
        try await withServers(ClientLimits(clients: 8, clientsPerAddress: 8), tls: tls) { server in
            var flood = try await silentClients(40, at: server.port)
            try await body(server, &flood)
            for client in flood { try? await client.close() }
        }
    }

    private func withServers(
        _ limits: ClientLimits,
        tls: TLSServerConfiguration? = nil,
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(.patient(), tls: tls, limits: limits, devicePort: devicePort, body)
        }
    }
}
