import MultiplexerCore
import NIOCore
import NIOPosix
import SecureMux
import Testing

@Suite struct SourceAddressTests {
    @Test(
        arguments: [
            ("127.0.0.1:40502", "127.0.0.1", 40502), ("127.0.0.1", "127.0.0.1", nil), (":40502", nil, 40502),
            ("[::1]:40502", "::1", 40502), ("::1", "::1", nil),
        ] as [(String, String?, Int?)]
    )
    func `an address, a port, or both can be named`(text: String, host: String?, port: Int?) throws {
        let source = try SourceAddress(parsing: text)
        #expect(source.host == host && source.port == port)
        #expect(source.description == text)
    }

    @Test(arguments: ["", ":", "lan:5", "127.0.0.1:0", "127.0.0.1:70000", "*:5", "1.2.3:5", "127.0.0.1/8"])
    func `what is no address of a machine is refused`(text: String) {
        #expect(throws: ConfigurationError.self) { try SourceAddress(parsing: text) }
    }

    @Test func `every connection comes from the same port, also right after one that we ended`() async throws {
        let (device, port) = (try await TestDevice.start(), try await Self.freePort())
        let server = try await Self.server(device.port, from: "127.0.0.1:\(port)", idleClose: .milliseconds(20))
        let client = try await TestPeer.connect(to: try #require(server.addresses.first?.port))
        for round in 0..<10 {
            try await client.send(read(transaction: UInt8(round), unit: 1, address: 0, count: 1))
            let link = try await device.connection(round)
            #expect(link.channel.remoteAddress?.ipAddress == "127.0.0.1")
            #expect(link.channel.remoteAddress?.port == port)
            try await link.send(answer(try await link.receiveFrame(), registers: [7]))
            #expect(try await client.receiveFrame().last == 7)
            try await link.channel.closeFuture.get()
        }
        #expect(try await device.connections().mostAtOnce == 1)
        await server.drain()
        try await device.stop()
    }

    @Test func `an address of another family fails with its reason`() async throws {
        let (device, log) = (try await TestDevice.start(), RecordedLog())
        let server = try await Self.server(device.port, from: "::1", log: log)
        let client = try await TestPeer.connect(to: try #require(server.addresses.first?.port))
        try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
        #expect(try await client.receiveFrame() == [0, 1, 0, 0, 0, 3, 1, 0x83, 0x0A])
        #expect(log.lines.contains { $0.contains("the source address ::1 is of another family than the device's") })
        await server.drain()
        try await device.stop()
    }

    private static func server(
        _ devicePort: Int,
        from source: String,
        idleClose: Duration? = nil,
        log: RecordedLog = RecordedLog()
    ) async throws -> Server {
        let device = DeviceConfiguration(
            address: DeviceAddress(checked: "127.0.0.1", port: devicePort),
            source: try SourceAddress(parsing: source),
            applicationProtocol: .modbus,
            listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: 0))],
            multiplexer: Multiplexer.Configuration(idleClose: idleClose)
        )
        return try await Server.start(try ServerConfiguration(devices: [device]), logger: log.logger)
    }

    /// One that nobody has now, outside of what the system gives out by itself.
    private static func freePort() async throws -> Int {
        for port in (20_000..<30_000).shuffled() {
            let channel = try? await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: port).get()
            guard let channel else { continue }
            try await channel.close()
            return port
        }
        throw TestTimeout()
    }
}
