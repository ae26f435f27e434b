import Logging
import MultiplexerCore
import SimulatedDevice
import Testing

@Suite(.timeLimit(.minutes(1))) struct SimulatedDeviceTests {
    private static let readSunS: [UInt8] = [0, 7, 0, 0, 0, 6, 1, 3, 0x9C, 0x40, 0, 2]
    private static let sunS: [UInt8] = [0, 7, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6E, 0x53]

    /// Runs a device for the length of `body`.
    private func withDevice(
        _ configure: (inout SimulatedDevice.Configuration) -> Void = { _ in },
        _ body: (SimulatedDevice, Int) async throws -> Void
    ) async throws {
        var configuration = SimulatedDevice.Configuration()
        configure(&configuration)
        let device = SimulatedDevice(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = try await device.start()
        do {
            try await body(device, port)
        } catch {
            await device.stop()
            throw error
        }
        await device.stop()
    }

    /// Waits for what the device only notices after its client has gone on.
    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<1_000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test func `a request is answered with its own transaction id`() async throws {
        try await withDevice { device, port in
            let client = try await TestClient.connect(to: port)
            #expect(try await client.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            #expect(device.counters.requestsServed == 1)
        }
    }

    @Test func `a further connection is closed at once while the first goes on`() async throws {
        try await withDevice { device, port in
            let first = try await TestClient.connect(to: port)
            #expect(try await first.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            let second = try await TestClient.connect(to: port)
            #expect(await second.receive(1) == [])
            #expect(try await first.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            #expect(device.counters.accepted == 1)
            #expect(device.counters.refused == 1)
            #expect(device.counters.open == 1)
            #expect(device.counters.maximumOpen == 1)
        }
    }

    @Test func `the place of a client that left is free again`() async throws {
        try await withDevice { device, port in
            let first = try await TestClient.connect(to: port)
            #expect(try await first.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            try await first.close()
            #expect(try await eventually { device.counters.open == 0 })
            let second = try await TestClient.connect(to: port)
            #expect(try await second.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            #expect(device.counters.accepted == 2)
            #expect(device.counters.refused == 0)
        }
    }

    @Test func `without a limit any number of connections is served`() async throws {
        try await withDevice {
            $0.connectionLimit = 0
        } _: { device, port in
            var clients: [TestClient] = []
            for _ in 0..<5 {
                clients.append(try await TestClient.connect(to: port))
            }
            for client in clients {
                #expect(try await client.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            }
            #expect(device.counters.maximumOpen == 5)
        }
    }

    @Test func `requests sent together are answered in order, each after the delay`() async throws {
        try await withDevice {
            $0.responseDelay = .milliseconds(50)
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            let requests = (1...4 as ClosedRange<UInt8>).flatMap { number -> [UInt8] in
                [0, number, 0, 0, 0, 6, 1, 6, 0, 1, 0, number]
            }
            let start = ContinuousClock.now
            #expect(try await client.sendAndReceive(requests, 48) == requests)
            #expect(start.duration(to: .now) >= .milliseconds(200))
            #expect(device.counters.requestsServed == 4)
        }
    }

    @Test func `a request that arrives in pieces is answered once it is whole`() async throws {
        try await withDevice { _, port in
            let client = try await TestClient.connect(to: port)
            for byte in Self.readSunS {
                try await client.send([byte])
            }
            #expect(await client.receive(13) == Self.sunS)
        }
    }

    @Test func `what is no Modbus closes its connection and is counted`() async throws {
        try await withDevice { device, port in
            let client = try await TestClient.connect(to: port)
            #expect(try await client.sendAndReceive(Array("GET / HTTP/1.1\r\n\r\n".utf8), 1) == [])
            #expect(device.counters.malformed == 1)
            #expect(try await eventually { device.counters.open == 0 })
        }
    }

    @Test func `what was written outlives the connection and a restart`() async throws {
        try await withDevice { device, port in
            let write: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 6, 0, 9, 0x12, 0x34]
            let first = try await TestClient.connect(to: port)
            #expect(try await first.sendAndReceive(write, 12) == write)
            await device.stop()
            #expect(await first.receive(1) == [])
            #expect(device.counters.open == 0)
            await #expect(throws: (any Error).self) { try await TestClient.connect(to: port) }
            #expect(try await device.start(port: port) == port)
            let second = try await TestClient.connect(to: port)
            let read: [UInt8] = [0, 2, 0, 0, 0, 6, 1, 3, 0, 9, 0, 1]
            #expect(try await second.sendAndReceive(read, 11) == [0, 2, 0, 0, 0, 5, 1, 3, 2, 0x12, 0x34])
            #expect(device.counters.maximumOpen == 1)
        }
    }

    @Test func `an idle connection is dropped, a busy one is not`() async throws {
        try await withDevice {
            $0.idleTimeout = .seconds(1)
        } _: { device, port in
            // Longer than it may be idle.
            let client = try await TestClient.connect(
                to: port,
                sending: Self.readSunS,
                times: 8,
                every: .milliseconds(200)
            )
            #expect(await client.receive(8 * 13) == (0..<8).flatMap { _ in Self.sunS })
            #expect(await client.receive(1) == [])
            #expect(try await eventually { device.counters.open == 0 })
        }
    }

    @Test func `a response slower than the idle time is still given`() async throws {
        try await withDevice {
            $0.idleTimeout = .seconds(1)
            $0.responseDelay = .milliseconds(1_500)
        } _: { _, port in
            let client = try await TestClient.connect(to: port, sending: Self.readSunS)
            #expect(await client.receive(13) == Self.sunS)
        }
    }

    @Test func `the first request of each connection is swallowed when asked`() async throws {
        try await withDevice {
            $0.swallowsFirstRequest = true
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            try await client.send([0, 1] + Self.readSunS[2...])
            #expect(try await client.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            #expect(device.counters.requestsSwallowed == 1)
            #expect(device.counters.requestsReceived == 2)
            #expect(device.counters.requestsServed == 1)
        }
    }

    @Test func `a device that is not ready answers once it is`() async throws {
        try await withDevice {
            $0.readyAfter = .milliseconds(100)
        } _: { _, port in
            let start = ContinuousClock.now
            let client = try await TestClient.connect(to: port)
            #expect(try await client.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            #expect(start.duration(to: .now) >= .milliseconds(100))
        }
    }

    @Test func `on a wire with header and checksum a request is answered with its own transaction id`() async throws {
        try await withDevice {
            $0.applicationProtocol = .modbusRTU
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            let request = [0, 7, 0, 0, 0, 8] + Self.withCRC([1, 3, 0x9C, 0x40, 0, 2])
            let response = [0, 7, 0, 0, 0, 9] + Self.withCRC([1, 3, 4, 0x53, 0x75, 0x6E, 0x53])
            #expect(try await client.sendAndReceive(request, response.count) == response)
            #expect(try await client.sendAndReceive(Self.readSunS, 1) == [])
            #expect(device.counters.malformed == 1)
        }
    }

    @Test func `on a serial wire requests are answered in order`() async throws {
        try await withDevice {
            $0.applicationProtocol = .modbusSerial
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            let requests: [[UInt8]] = [
                [1, 3, 0x9C, 0x40, 0, 2], [1, 16, 0, 5, 0, 1, 2, 0x12, 0x34], [2, 4, 0, 5, 0, 1],
                [1, 3, 0xFF, 0xFF, 0, 1],
            ]
            let responses: [[UInt8]] = [
                [1, 3, 4, 0x53, 0x75, 0x6E, 0x53], [1, 16, 0, 5, 0, 1], [2, 4, 2, 0x12, 0x34], [1, 0x83, 2],
            ]
            let expected = responses.flatMap(Self.withCRC)
            #expect(try await client.sendAndReceive(requests.flatMap(Self.withCRC), expected.count) == expected)
            #expect(device.counters.requestsServed == 4)
        }
    }

    // Trap T32: nobody answers a broadcast.
    @Test func `on a serial wire a broadcast is carried out and not answered`() async throws {
        try await withDevice {
            $0.applicationProtocol = .modbusSerial
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            let broadcast = Self.withCRC([0, 6, 0, 9, 0x12, 0x34])
            let read = Self.withCRC([1, 3, 0, 9, 0, 1])
            let value = Self.withCRC([1, 3, 2, 0x12, 0x34])
            #expect(try await client.sendAndReceive(broadcast + read, value.count) == value)
            #expect(device.counters.broadcasts == 1)
            #expect(device.counters.requestsServed == 1)
        }
    }

    @Test func `on a serial wire a damaged request is not answered and the next one is`() async throws {
        try await withDevice {
            $0.applicationProtocol = .modbusSerial
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            var damaged = Self.withCRC([1, 3, 0, 9, 0, 1])
            damaged[7] ^= 1
            try await client.send(damaged)
            #expect(try await eventually { device.counters.malformed == 1 })
            let read = Self.withCRC([1, 3, 0x9C, 0x40, 0, 2])
            let sunS = Self.withCRC([1, 3, 4, 0x53, 0x75, 0x6E, 0x53])
            #expect(try await client.sendAndReceive(read, sunS.count) == sunS)
            #expect(device.counters.open == 1)
        }
    }

    private static func withCRC(_ message: [UInt8]) -> [UInt8] {
        let checksum = ModbusCRC(of: message.span)
        return message + [checksum.low, checksum.high]
    }

    @Test func `lines come back as they are, also after the end of the input`() async throws {
        try await withDevice {
            $0.applicationProtocol = .echo
            $0.responseDelay = .milliseconds(20)
        } _: { device, port in
            let client = try await TestClient.connect(to: port)
            let lines = Array("one\r\ntwo\n".utf8)
            #expect(try await client.sendAndReceive(lines, lines.count) == lines)
            try await client.send(lines)
            try await client.endOutput()
            #expect(await client.receive(lines.count) == lines)
            #expect(try await eventually { device.counters.open == 0 })
        }
    }

    @Test func `closed connections leave the device listening`() async throws {
        try await withDevice { device, port in
            let first = try await TestClient.connect(to: port)
            #expect(try await first.sendAndReceive(Self.readSunS, 13) == Self.sunS)
            await device.closeConnections()
            #expect(await first.receive(1) == [])
            let second = try await TestClient.connect(to: port)
            #expect(try await second.sendAndReceive(Self.readSunS, 13) == Self.sunS)
        }
    }
}
