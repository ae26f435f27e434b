import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import SecureMux

/// Listeners that come, go, and begin to speak otherwise, while clients connect all the time.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReloadedListenersTests {
    @Test func `a listener begins and ceases to speak TLS, and no connection is refused meanwhile`() async throws {
        let certificates = try await DevelopmentCertificates.made()
        let device = try await TestDevice.start()
        let answering = Task { await device.answerAll() }
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let port = running.port
            let context = try TLSContext(client: certificates.client())
            try await connectingAllTheTime(to: port) {
                for round in 0..<6 {
                    let isPlain = !round.isMultiple(of: 2)
                    let before = try await TestPeer.connect(to: port, tls: isPlain ? context : nil)
                    #expect(try await value(before, address: 1) == 1)
                    let listener = ListenerConfiguration.local(tls: isPlain ? nil : certificates.server())
                    let outcome = try await running.reload([device.shared(as: "inverter", at: [listener])])
                    #expect(outcome.changed.first?.replacedListeners.map(\.description) == ["127.0.0.1:0"])
                    #expect(try await before.receiveToEnd() == [])
                    let after = try await TestPeer.connect(to: port, tls: isPlain ? nil : context)
                    #expect(try await value(after, address: 2) == 2)
                }
            }
            #expect(try await device.connections().mostAtOnce == 1)
        }
        answering.cancel()
        try await device.stop()
    }

    @Test func `a client gets its answer in the words in which it asked`() async throws {
        let device = try await TestDevice.start()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let client = try await TestPeer.connect(to: running.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            var listener = ListenerConfiguration.local()
            listener.unitMap = UnitMap([1: 5])
            try await running.reload([device.shared(as: "inverter", at: [listener])])
            let other = try await TestPeer.connect(to: running.port)
            try await other.send(read(transaction: 2, unit: 1, address: 0, count: 1))
            try await link.send(answer(request, registers: [1]))
            #expect(try await client.receiveToEnd() == [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 1])
            let mapped = try await link.receiveFrame()
            #expect(mapped[6] == 5)
            try await link.send(answer(mapped, registers: [2]))
            #expect(try await other.receiveFrame() == [0, 2, 0, 0, 0, 5, 1, 3, 2, 0, 2])
            #expect(try await device.connections().all == 1)
        }
        try await device.stop()
    }

    @Test func `an address that overlaps one that goes is bound before that goes, and is shared with nobody after`()
        async throws
    {
        let device = try await TestDevice.start()
        let answering = Task { await device.answerAll() }
        let port = try await freePort()
        try await withServer(
            sharing: [device.shared(as: "inverter", at: [.local(port, host: "0.0.0.0")])]
        ) { running in
            try await connectingAllTheTime(to: port) {
                for host in ["127.0.0.1", "0.0.0.0", "127.0.0.1"] {
                    let client = try await TestPeer.connect(to: port)
                    #expect(try await value(client, address: 1) == 1)
                    try await running.reload([device.shared(as: "inverter", at: [.local(port, host: host)])])
                    #expect(running.server.addresses.map(\.host) == [host])
                    #expect(try await client.receiveToEnd() == [])
                    let next = try await TestPeer.connect(to: port)
                    #expect(try await value(next, address: 2) == 2)
                    #expect(throws: (any Error).self) {
                        try ListeningSocket.open(at: ListenAddress(checked: host, port: port), sharesPort: true)
                    }
                }
            }
            #expect(try await device.connections().all == 1)
        }
        answering.cancel()
        try await device.stop()
    }

    @Test func `a listener that goes to another device takes its socket along`() async throws {
        let (one, other) = (try await TestDevice.start(), try await TestDevice.start())
        let port = try await freePort()
        let (here, there) = (ListenerConfiguration.local(port), ListenerConfiguration.local())
        try await withServer(sharing: [one.shared(as: "one", at: [here, there]), other.shared(as: "other")]) {
            running in
            try await connectingAllTheTime(to: port) {
                for round in 0..<4 {
                    let isOther = round.isMultiple(of: 2)
                    try await running.reload([
                        one.shared(as: "one", at: isOther ? [there] : [here, there]),
                        other.shared(as: "other", at: isOther ? [.local(), here] : [.local()]),
                    ])
                    let client = try await TestPeer.connect(to: port)
                    async let value = value(client)
                    try await (isOther ? other : one).answerNext(on: 0, UInt16(round))
                    #expect(try await value == UInt8(round))
                }
            }
            #expect(try await one.connections().all == 1)
            #expect(try await other.connections().all == 1)
        }
        try await one.stop()
        try await other.stop()
    }

    @Test func `a listener is opened and closed beside one that stays`() async throws {
        let device = try await TestDevice.start()
        let answering = Task { await device.answerAll() }
        let port = try await freePort()
        try await withServer(sharing: [device.shared(as: "inverter")]) { running in
            let stays = try await TestPeer.connect(to: running.port)
            try await running.reload([device.shared(as: "inverter", at: [.local(port), .local()])])
            let client = try await TestPeer.connect(to: port)
            #expect(try await value(client, address: 3) == 3)
            try await running.reload([device.shared(as: "inverter")])
            #expect(try await client.receiveToEnd() == [])
            await #expect(throws: (any Error).self) { try await TestPeer.connect(to: port) }
            #expect(try await value(stays, address: 4) == 4)
            #expect(try await device.connections().all == 1)
        }
        answering.cancel()
        try await device.stop()
    }

    /// Connects again and again meanwhile; each attempt has to succeed.
    private func connectingAllTheTime(to port: Int, _ body: () async throws -> Void) async throws {
        let isDone = NIOLockedValueBox(false)
        let connecting = Task {
            var attempts = 0
            while !isDone.withLockedValue({ $0 }) {
                let client = try await TestPeer.connect(to: port)
                attempts += 1
                try? await client.close()
            }
            return attempts
        }
        do {
            try await body()
        } catch {
            isDone.withLockedValue { $0 = true }
            throw error
        }
        isDone.withLockedValue { $0 = true }
        #expect(try await connecting.value > 10)
    }
}
