import Logging
import MultiplexerCore
import NIOCore
import NIOPosix
import SimulatedDevice
import Testing

@testable import SecureMux

/// A whole server whose listener speaks TLS and requires client certificates, on real sockets.
@Suite(.timeLimit(.minutes(1))) struct TLSListenerTests {
    private static let readSunS: [UInt8] = [0, 7, 0, 0, 0, 6, 1, 3, 0x9C, 0x40, 0, 2]
    private static let sunS: [UInt8] = [0, 7, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6E, 0x53]

    let certificates: DevelopmentCertificates

    init() async throws {
        certificates = try await .made()
    }

    @Test func `a client with a certificate is served, and the log says who it is`() async throws {
        try await withServer { server in
            let client = try await connect(to: server, showing: "client-operator")
            #expect(try await client.exchange(Self.readSunS) == Self.sunS)
            let line = try await server.line(containing: "client connected")
            #expect(line.contains("role=operator subject=CN=operator,O=tcp-multiplexer development tls=1.3"))
        }
    }

    @Test func `a client whose role breaks the rules is served, and the log says so`() async throws {
        let made = try MadeCertificate {
            $0.extensions.append(("1.3.6.1.4.1.50316.802.1", "ASN1:PRINTABLESTRING:operator"))
        }
        try await withServer {
            $0.clientCAFile = made.caFile
        } _: { server in
            var configuration = certificates.client()
            configuration.certificateChainFile = made.certificateFile
            configuration.privateKeyFile = made.keyFile
            let client = try await connect(to: server, configuration)
            #expect(try await client.exchange(Self.readSunS) == Self.sunS)
            #expect(try await server.line(containing: "client connected").contains("role=malformed"))
        }
    }

    @Test(
        arguments: [
            (nil, "the client sent no certificate", "give the client a certificate"),
            ("client-expired", "expired on 2024-02-01", "renew it"),
            ("foreign-client", "an authority we do not trust", "'client-ca'"),
            ("client-serverauth", "may not be used by clients", "clientAuth"),
        ] as [(String?, String, String)]
    )
    func `a client without a good certificate is refused, and the device never hears of it`(
        certificate: String?,
        reason: String,
        remedy: String
    ) async throws {
        try await withServer { server in
            let refused = try await connect(to: server, showing: certificate)
            // Over TLS 1.3 the request arrives together with the certificate.
            refused.channel.writeAndFlush(ByteBuffer(bytes: Self.readSunS), promise: nil)
            #expect(try await refused.receiveToEnd() == [])
            let line = try await server.line(containing: "client refused")
            #expect(line.hasPrefix("warning ") && line.contains(" client=127.0.0.1:"))
            #expect(line.contains(reason) && line.contains(remedy), "\(line)")
            #expect(server.device.counters.accepted == 0)

            let served = try await connect(to: server, showing: "client")
            #expect(try await served.exchange(Self.readSunS) == Self.sunS)
            #expect(server.device.counters.accepted == 1)
            #expect(server.device.counters.requestsReceived == 1)
            #expect(server.log.lines.count { $0.contains("client refused") } == 1)
        }
    }

    @Test func `a client's key on a curve that we do not support is called so, to openssl too`() async throws {
        let made = try MadeCertificate { $0.key = .curve("secp256k1") }
        try await withServer {
            $0.clientCAFile = made.caFile
        } _: { server in
            _ = try await certificates.shell(
                """
                timeout 15 openssl s_client -connect 127.0.0.1:\(server.port) -tls1_2 -curves secp256k1:P-256 \
                -cert \(made.certificateFile) -key \(made.keyFile) </dev/null
                """
            )
            let line = try await server.line(containing: "client refused")
            #expect(line.contains("certificate has a key that we do not support (wrong curve)"), "\(line)")
            #expect(line.contains("make one with a P-256"))
        }
    }

    @Test func `a channel reads as it is to once the handshake is complete`() async throws {
        try await withServer { server in
            let reading = FixedSizeRecvByteBufferAllocator(capacity: 4321)
            let client = try await connect(to: server, certificates.client("client"), reading: reading)
            #expect(try await client.exchange(Self.readSunS) == Self.sunS)
            let option = try await client.channel.getOption(.recvAllocator).get()
            #expect((option as? FixedSizeRecvByteBufferAllocator)?.capacity == 4321)
        }
    }

    @Test func `names that clients make up silence nothing in the log`() async throws {
        let strangers = try (0..<3).map { number in
            try MadeCertificate.selfSigned { $0.name = "(((( \(number) \" client refused" }
        }
        try await withServer { server in
            for number in 0..<120 {
                let stranger = strangers[number % strangers.count]
                var configuration = certificates.client()
                (configuration.certificateChainFile, configuration.privateKeyFile) = (
                    stranger.certificateFile, stranger.keyFile
                )
                let refused = try await connect(to: server, configuration)
                #expect(try await refused.receiveToEnd() == [])
            }
            let refused = try await connect(to: server, showing: "client-expired")
            #expect(try await refused.receiveToEnd() == [])
            let line = try await server.line(containing: "expired on 2024-02-01")
            #expect(line.hasPrefix("warning "))
            #expect(server.log.lines.count { $0.hasPrefix("warning ") && $0.contains("signed by itself") } < 115)
        }
    }

    @Test(arguments: [[], [0x16, 3, 1, 2, 0, 1, 0, 1]] as [[UInt8]])
    func `a handshake that never finishes is ended`(bytes: [UInt8]) async throws {
        try await withServer {
            $0.handshakeTimeout = .milliseconds(200)
            $0.shutdownTimeout = .milliseconds(200)
        } _: { server in
            let stalled = try await TestPeer.connect(to: server.port)
            // May be too late on a busy machine.
            try? await stalled.send(bytes)
            #expect(try await stalled.receiveToEnd() == [])
            #expect(try await server.line(containing: "client refused").contains(" 200ms"))
            #expect(server.device.counters.accepted == 0)
            try? await stalled.close()
        }
    }

    // MARK: Playing server and client

    private struct RunningServer {
        let device: SimulatedDevice
        let port: Int
        let log: RecordedLog

        /// Waits for a line of the log.
        func line(containing text: String) async throws -> String {
            let deadline = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < deadline {
                if let line = log.lines.first(where: { $0.contains(text) }) { return line }
                try await Task.sleep(for: .milliseconds(5))
            }
            throw TestTimeout()
        }
    }

    private func withServer(
        _ change: (inout TLSServerConfiguration) -> Void = { _ in },
        _ body: (RunningServer) async throws -> Void
    ) async throws {
        let log = RecordedLog()
        let device = SimulatedDevice(logger: Logger(label: "device") { _ in SwiftLogNoOpLogHandler() })
        let devicePort = try await device.start()
        var tls = certificates.server(.required)
        change(&tls)
        let server = try await Server.start(
            try ServerConfiguration(
                device: DeviceAddress(checked: "127.0.0.1", port: devicePort),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: 0), tls: tls)]
            ),
            logger: log.logger
        )
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await body(RunningServer(device: device, port: server.addresses[0].port, log: log))
            )
        } catch {
            outcome = .failure(error)
        }
        await server.drain()
        await device.stop()
        try outcome.get()
    }

    private func connect(to server: RunningServer, showing certificate: String?) async throws -> TestPeer {
        try await connect(to: server, certificates.client(certificate))
    }

    private func connect(
        to server: RunningServer,
        _ configuration: TLSClientConfiguration,
        reading: (any RecvByteBufferAllocator & Sendable)? = nil
    ) async throws -> TestPeer {
        let context = try TLSContext(client: configuration)
        return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: server.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context, reading: reading))
                    return try TestPeer.adopt(channel)
                }
            }
    }
}
