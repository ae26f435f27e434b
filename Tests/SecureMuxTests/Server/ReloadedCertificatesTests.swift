import COpenSSL
import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// TLS files with another content under the same names, and clients whose certificates are not trusted any more.
@Suite(.timeLimit(.minutes(2))) struct ReloadedCertificatesTests {
    private let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `a renewed pair under the same names serves whoever connects, and half of one nobody`() async throws {
        let device = try await TestDevice.start()
        let answering = Task { await device.answerAll() }
        try await certificates.shell(
            "for name in old new; do "
                + "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                + "-addext subjectAltName=DNS:localhost -keyout renewed-$name.key -out renewed-$name.crt 2>/dev/null; done; "
                + "cp renewed-old.crt renewed.crt; cp renewed-old.key renewed.key"
        )
        let shared = device.shared(
            as: "inverter",
            at: [
                .local(
                    tls: TLSServerConfiguration(
                        certificateChainFile: certificates["renewed.crt"],
                        privateKeyFile: certificates["renewed.key"]
                    )
                )
            ]
        )
        try await withServer(sharing: [shared]) { running in
            let stays = try await connect(to: running.port, trusting: "renewed-old")
            #expect(try await value(stays, address: 1) == 1)
            #expect(try await running.reload([shared]).isEmpty)

            try await certificates.shell("cp renewed-new.crt renewed.crt")
            let error = await #expect(throws: ServerError.self) { try await running.reload([shared]) }
            #expect(error?.description.contains("is not the private key of the first certificate") == true)
            let late = try await connect(to: running.port, trusting: "renewed-old")
            #expect(try await value(late, address: 2) == 2)

            try await certificates.shell("cp renewed-new.key renewed.key")
            #expect(
                try await running.reload([shared]).description == "changed inverter (rules of 127.0.0.1:0)"
            )
            let new = try await connect(to: running.port, trusting: "renewed-new")
            #expect(try await value(new, address: 3) == 3)
            #expect(try await value(stays, address: 4) == 4)
            #expect(try await running.reload([shared]).isEmpty)
            #expect(try await device.connections().all == 1)
        }
        answering.cancel()
        try await device.stop()
    }

    @Test func `whose certificate is not trusted any more, or who has none, gets its answer and goes`() async throws {
        let device = try await TestDevice.start()
        func shared(_ tls: TLSServerConfiguration) -> DeviceConfiguration {
            device.shared(as: "inverter", at: [.local(tls: tls)])
        }
        try await withServer(sharing: [shared(certificates.server(.optional))]) { running in
            let known = try await TestPeer.connect(
                to: running.port,
                tls: TLSContext(client: certificates.client("client"))
            )
            let nobody = try await TestPeer.connect(to: running.port, tls: TLSContext(client: certificates.client()))
            async let first = value(known)
            try await device.answerNext()
            #expect(try await first == 7)
            async let second = value(nobody)
            try await device.answerNext()
            #expect(try await second == 7)

            // Whoever has none goes, at once.
            try await running.reload([shared(certificates.server(.required))])
            #expect(try await nobody.receiveToEnd() == [])
            try await running.line(containing: "client closed", "sent no certificate and this listener requires one")

            // Of another authority: what was asked is answered first.
            try await known.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            var foreign = certificates.server(.required)
            foreign.clientCAFile = certificates["foreign-ca.crt"]
            try await running.reload([shared(foreign)])
            try await running.line(containing: "client closed", "signed by an authority we do not trust")
            try await link.send(answer(request, registers: [5]))
            #expect(try await known.receiveToEnd().last == 5)

            let other = try await TestPeer.connect(
                to: running.port,
                tls: TLSContext(client: certificates.client("foreign-client"))
            )
            async let third = value(other)
            try await device.answerNext()
            #expect(try await third == 7)
            // Other rules, the same authorities: nobody goes.
            foreign.handshakeTimeout = .seconds(5)
            try await running.reload([shared(foreign)])
            async let fourth = value(other)
            try await device.answerNext()
            #expect(try await fourth == 7)
            #expect(try await device.connections().all == 1)
        }
        try await device.stop()
    }

    @Test func `a handshake that began before is judged by what holds at its end`() async throws {
        let device = try await TestDevice.start()
        func shared(_ authority: String) -> DeviceConfiguration {
            var tls = certificates.server(.required)
            tls.clientCAFile = certificates[authority]
            return device.shared(as: "inverter", at: [.local(tls: tls)])
        }
        try await withServer(sharing: [shared("ca.crt")]) { running in
            let context = try TLSContext(client: certificates.client("client"))
            let client = try TLSSession(context)
            let peer = try await TestPeer.connect(to: running.port)
            var records = ByteBuffer()
            #expect(client.handshake(records: &records) == .needsInput)
            try await peer.send(Array(records.readableBytesView))
            // Our hello and certificate are here: the client's is still to come.
            let hello = try await peer.receive(1000)
            try await running.reload([shared("foreign-ca.crt")])
            client.receive(ByteBuffer(bytes: hello))
            records.clear()
            var step = client.handshake(records: &records)
            while step == .needsInput {
                client.receive(ByteBuffer(bytes: try await peer.receive(1)))
                step = client.handshake(records: &records)
            }
            #expect(step == .complete)
            try await peer.send(Array(records.readableBytesView))
            _ = try await peer.receiveToEnd()
            try await running.line(containing: "client refused", "signed by an authority we do not trust")
            #expect(running.lines(containing: "client connected").isEmpty)
        }
        try await device.stop()
    }

    private func connect(to port: Int, trusting name: String) async throws -> TestPeer {
        var client = certificates.client()
        client.caFile = certificates["\(name).crt"]
        return try await TestPeer.connect(to: port, tls: TLSContext(client: client))
    }
}
