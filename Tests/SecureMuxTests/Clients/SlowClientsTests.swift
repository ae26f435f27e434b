import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// What clients that are slow, or announce what they never send, do to others.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SlowClientsTests {
    private static let request: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 125]

    @Test(arguments: [false, true])
    func `a client that reads nothing and one that sends byte by byte delay nobody`(overTLS: Bool) async throws {
        let certificates = try await DevelopmentCertificates.made()
        let tls = overTLS ? try TLSContext(client: certificates.client()) : nil
        try await withSimulatedDevice { devicePort in
            try await withServer(
                .patient(),
                tls: overTLS ? certificates.server() : nil,
                limits: ClientLimits(requestTimeout: .seconds(60), writeTimeout: .seconds(60)),
                devicePort: devicePort
            ) { server in
                let client = try await TestPeer.connect(to: server.port, tls: tls)
                let alone = try await latencies(of: client)

                let deaf = try await TestPeer.connect(to: server.port, tls: tls, reads: false)
                let dripping = try await TestPeer.connect(to: server.port, tls: tls)
                // The deaf one's handshake has to be read.
                for _ in 0..<20 where overTLS {
                    deaf.channel.read()
                    try await Task.sleep(for: .milliseconds(10))
                }
                let requests = (0..<5_000).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + Self.request.dropFirst(2) }
                deaf.channel.writeAndFlush(ByteBuffer(bytes: requests), promise: nil)
                let drip = Task {
                    for byte in (0..<1_000).flatMap({ _ in Self.request }) {
                        try await dripping.send([byte])
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                // Until the deaf one takes no more.
                try await Task.sleep(for: .milliseconds(500))
                let beside = try await latencies(of: client)
                drip.cancel()
                print(
                    "\(overTLS ? "TLS" : "plain"): 99 % of 500 exchanges within \(alone.p99) alone,",
                    "\(beside.p99) beside a deaf and a dripping client; the slowest \(alone.worst) and \(beside.worst)"
                )
                #expect(beside.p99 < max(alone.p99 * 20, .milliseconds(250)))
                try? await deaf.close()
                try? await dripping.close()
            }
        }
    }

    @Test(
        arguments: [
            // A record of 65,535 bytes, a handshake message of 16 MiB, a Modbus frame of 65,541 bytes.
            [0x16, 3, 1, 0xFF, 0xFF, 1, 0, 0xFF], [0x16, 3, 1, 0x40, 0, 1, 0xFF, 0xFF, 0xFF],
            [0, 1, 0, 0, 0xFF, 0xFF, 1, 3],
        ] as [[UInt8]],
        [false, true]
    )
    func `what announces too much is refused at once, whatever follows`(start: [UInt8], overTLS: Bool) async throws {
        let certificates = try await DevelopmentCertificates.made()
        var tls = certificates.server()
        tls.handshakeTimeout = .seconds(60)
        try await withServer(tls: overTLS ? tls : nil) { server, _ in
            let client = try await TestPeer.connect(to: server.port)
            let sending = Task {
                try await client.send(start)
                // What it announced, in records of the largest size, 16 MiB in all.
                let record = [0x16, 3, 1, 0x40, 0] + [UInt8](repeating: 0, count: 0x4000)
                for round in 0..<1_000 {
                    try await client.send(round == 0 ? Array(record.dropFirst(start.count)) : record)
                }
            }
            _ = try await client.receiveToEnd()
            sending.cancel()
            try await server.line(containing: "warning client refused")
            _ = await sending.result
        }
    }

    /// How long exchanges of a client take.
    private func latencies(of client: TestPeer) async throws -> (p99: Duration, worst: Duration) {
        var all: [Duration] = []
        for _ in 0..<500 {
            let start = ContinuousClock.now
            #expect(try await client.exchange(Self.request).count == 259)
            all.append(ContinuousClock.now - start)
        }
        all.sort()
        return (all[all.count * 99 / 100], all[all.count - 1])
    }
}
