import MultiplexerCore
import NIOConcurrencyHelpers
import SimulatedDevice
import Testing

@testable import SecureMux

/// Other rules for a listener that is open.
@Suite(.timeLimit(.minutes(2))) struct ReplacedRulesTests {
    private let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `nobody who may stay loses a request when the allow-list and the certificate are replaced`() async throws
    {
        try await withSimulatedDevice { devicePort in
            let steps = [
                rules(["127.0.0.0/24"]), rules(["127.0.0.1/32"], certificate: "server-other"), rules(["127.0.0.0/8"]),
            ]
            try await makeOtherCertificate()
            try await withServer(.patient(), allow: ["127.0.0.0/8"], tls: certificates.server(), devicePort: devicePort)
            {
                running in
                let server = running.server
                let context = try TLSContext(client: certificates.client())
                let (isDone, counts) = (NIOLockedValueBox(false), NIOLockedValueBox([Int](repeating: 0, count: 50)))
                try await withThrowingTaskGroup { group in
                    for index in 0..<50 {
                        let client = try await TestPeer.connect(to: running.port, tls: context)
                        group.addTask {
                            while !isDone.withLockedValue({ $0 }) {
                                let request = read(transaction: UInt8(index), unit: 1, address: 0, count: 1)
                                #expect(
                                    try await client.exchange(request).prefix(8) == [0, UInt8(index), 0, 0, 0, 5, 1, 3]
                                )
                                counts.withLockedValue { $0[index] += 1 }
                            }
                            try await client.close()
                        }
                    }
                    let stranger = try await TestPeer.connect(to: running.port, from: "127.0.0.9", tls: context)
                    _ = try await stranger.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
                    for (round, rules) in steps.enumerated() {
                        try await server.replaceRules(ofListener: 0, of: server.deviceNames[0], by: rules)
                        if round == 1 {
                            #expect(try await stranger.receiveToEnd() == [])
                            try await running.line(containing: "client closed", "not on the allow-list any more")
                            // With the other certificate a client fails that does not know its authority.
                            let late = try await TestPeer.connect(to: running.port, tls: context)
                            _ = try? await late.receiveToEnd()
                            try await running.line(containing: "client refused", "does not trust our certificate")
                        }
                        let before = counts.withLockedValue { $0 }
                        try await eventually {
                            counts.withLockedValue { now in now.indices.allSatisfy { now[$0] > before[$0] + 2 } }
                        }
                    }
                    isDone.withLockedValue { $0 = true }
                    try await group.waitForAll()
                }
                let again = try await TestPeer.connect(to: running.port, from: "127.0.0.9", tls: context)
                _ = try await again.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
            }
        }
    }

    @Test func `fewer places close nobody, and are full until enough have left`() async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(.patient(), devicePort: devicePort) { running in
                var clients: [TestPeer] = []
                for _ in 0..<3 {
                    let client = try await TestPeer.connect(to: running.port)
                    _ = try await client.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
                    clients.append(client)
                }
                try await replaceRules(of: running.server, by: ListenerRules(limits: ClientLimits(clients: 2)))
                let refused = try await TestPeer.connect(to: running.port)
                #expect(try await refused.receiveToEnd() == [])
                for client in clients {
                    _ = try await client.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
                }
                try await clients[0].close()
                try await clients[1].close()
                try await eventually {
                    let client = try await TestPeer.connect(to: running.port)
                    return (try? await client.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))) != nil
                }
            }
        }
    }

    @Test func `a time that is limited now is limited for those who are there`() async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(.patient(), devicePort: devicePort) { running in
                let client = try await TestPeer.connect(to: running.port)
                _ = try await client.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
                let limits = ClientLimits(idleTimeout: .milliseconds(100))
                try await replaceRules(of: running.server, by: ListenerRules(limits: limits))
                #expect(try await client.receiveToEnd() == [])
                try await running.line(containing: "client closed", "client idle timeout")
            }
        }
    }

    @Test func `what is odd about its files is said at the start, and again with other rules`() async throws {
        try await certificates.shell("cp server.key open.key && cp server.crt open.crt && chmod 644 open.key")
        let open = rules([], certificate: "open")
        try await withSimulatedDevice { devicePort in
            try await withServer(.patient(), tls: open.tls, devicePort: devicePort) { running in
                let words = "open.key holds a private key that others can read or change"
                #expect(running.lines(containing: words).count == 1)
                try await replaceRules(of: running.server, by: open)
                #expect(running.lines(containing: words).count == 1)
                var other = open
                other.limits = ClientLimits(clients: 7)
                try await replaceRules(of: running.server, by: other)
                #expect(running.lines(containing: words).count == 2)
            }
        }
    }

    @Test func `rules that cannot be used change nothing`() async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(.patient(), tls: certificates.server(), devicePort: devicePort) { running in
                var missing = rules(["10.0.0.0/8"])
                missing.tls?.certificateChainFile = certificates["none.crt"]
                var contradictory = rules([])
                contradictory.tls?.clientCertificates = .required
                for (rules, words) in [
                    (missing, "none.crt"), (ListenerRules(), "cannot begin or cease to speak TLS"),
                    (contradictory, "'client-certificates' required needs 'client-ca'"),
                ] {
                    let error = await #expect(throws: ServerError.self) {
                        try await replaceRules(of: running.server, by: rules)
                    }
                    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
                }
                await #expect(throws: ServerError.self) {
                    try await running.server.replaceRules(
                        ofListener: 1,
                        of: running.server.deviceNames[0],
                        by: rules([])
                    )
                }
                await #expect(throws: ServerError.self) {
                    try await running.server.replaceRules(ofListener: 0, of: "another", by: rules([]))
                }
                let context = try TLSContext(client: certificates.client())
                let client = try await TestPeer.connect(to: running.port, tls: context)
                _ = try await client.exchange(read(transaction: 1, unit: 1, address: 0, count: 1))
            }
        }
    }

    private func replaceRules(of server: Server, by rules: ListenerRules) async throws {
        try await server.replaceRules(ofListener: 0, of: server.deviceNames[0], by: rules)
    }

    private func rules(_ allowed: [String], certificate: String = "server") -> ListenerRules {
        var tls = certificates.server()
        tls.certificateChainFile = certificates["\(certificate).crt"]
        tls.privateKeyFile = certificates["\(certificate).key"]
        return ListenerRules(tls: tls, allowList: AllowList(allowed.compactMap { try? CIDRBlock(parsing: $0) }))
    }

    /// One of no authority that the clients know.
    private func makeOtherCertificate() async throws {
        _ = try await certificates.shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                + "-addext subjectAltName=DNS:localhost -keyout server-other.key -out server-other.crt 2>/dev/null"
        )
    }
}
