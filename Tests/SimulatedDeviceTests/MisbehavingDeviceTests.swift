import Logging
import MultiplexerCore
import SimulatedDevice
import Testing

@Suite(.timeLimit(.minutes(1))) struct MisbehavingDeviceTests {
    private static let read: [UInt8] = [0, 7, 0, 0, 0, 6, 1, 3, 0x9C, 0x40, 0, 2]
    private static let answer: [UInt8] = [0, 7, 0, 0, 0, 7, 1, 3, 4, 0x53, 0x75, 0x6E, 0x53]

    /// A device to which each of these happens all the time.
    private func withDevice(
        _ faults: Fault...,
        delay: Duration = .milliseconds(300),
        _ configure: (inout SimulatedDevice.Configuration) -> Void = { _ in },
        _ body: (SimulatedDevice, Int) async throws -> Void
    ) async throws {
        var configuration = SimulatedDevice.Configuration()
        configuration.faults = try FaultPlan(faults.map { FaultRule($0, probability: 1, delay: delay) }, seed: 1)
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

    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<2_000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test func `late answers come in order, and all of them`() async throws {
        try await withDevice(.late) { device, port in
            let client = try await TestClient.connect(to: port)
            let start = ContinuousClock.now
            try await client.send(Self.read + Self.read)
            #expect(await client.receive(26) == Self.answer + Self.answer)
            let time = start.duration(to: .now)
            #expect(time >= .milliseconds(300))
            #expect(device.counters.faults == [.late: 2])
        }
    }

    @Test(arguments: [(Fault.lost, 1), (.swallow, 0)])
    func `no answer comes, and the request is carried out or not`(fault: Fault, carriedOut: Int) async throws {
        try await withDevice(fault) { device, port in
            let client = try await TestClient.connect(to: port)
            try await client.send(Self.read)
            #expect(try await eventually { device.counters.faults == [fault: 1] })
            #expect(device.counters.requestsServed == carriedOut)
            await device.closeConnections()
            #expect(await client.receive(1) == [])
        }
    }

    @Test(arguments: [
        (Fault.duplicate, "0007000000070103 0453756e53 0007000000070103 0453756e53"),
        (.wrongID, "8007000000070103 0453756e52"), (.wrongUnit, "0007000000070003 0453756e52"),
        (.wrongFunction, "0007000000070102 0453756e52"),
        (.unsolicited, "8007000000070103 0453756e52 0007000000070103 0453756e53"),
    ])
    func `what is not the answer shows it`(fault: Fault, expected: String) async throws {
        try await withDevice(fault) { device, port in
            let client = try await TestClient.connect(to: port)
            let digits = expected.filter { $0 != " " }
            let received = try await client.sendAndReceive(Self.read, digits.count / 2)
            #expect(received.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() == digits)
            #expect(device.counters.faults == [fault: 1])
        }
    }

    @Test(arguments: [(Fault.half, Array(answer.prefix(6))), (.close, [])])
    func `the connection is closed before the whole answer came`(fault: Fault, expected: [UInt8]) async throws {
        try await withDevice(fault) { device, port in
            let client = try await TestClient.connect(to: port)
            #expect(try await client.sendAndReceive(Self.read, 100) == expected)
            #expect(device.counters.requestsServed == 1)
        }
    }

    @Test func `garbage comes instead of the answer`() async throws {
        try await withDevice(.garbage) { device, port in
            let client = try await TestClient.connect(to: port)
            let bytes = try await client.sendAndReceive(Self.read, 1)
            #expect(!bytes.isEmpty)
            #expect(!bytes.starts(with: Self.answer.prefix(bytes.count)))
        }
    }

    @Test func `a silent connection stays open and hears nothing`() async throws {
        try await withDevice(.silent) { device, port in
            let client = try await TestClient.connect(to: port)
            try await client.send(Self.read)
            #expect(try await eventually { device.counters.requestsReceived == 1 })
            #expect(device.counters.requestsServed == 0)
            #expect(device.counters.open == 1)
        }
    }

    @Test func `a refused connection is closed at once and its place is free again`() async throws {
        try await withDevice(.refuse) { device, port in
            for count in 1...3 {
                let client = try await TestClient.connect(to: port)
                #expect(await client.receive(1) == [])
                #expect(try await eventually { device.counters.open == 0 })
                #expect(device.counters.faults == [.refuse: count])
            }
        }
    }

    @Test func `a device closes each connection after a number of answers`() async throws {
        try await withDevice {
            $0.closesAfter = 2
        } _: { device, port in
            for _ in 1...2 {
                let client = try await TestClient.connect(to: port)
                #expect(
                    try await client.sendAndReceive(Self.read + Self.read + Self.read, 100) == Self.answer + Self.answer
                )
                #expect(try await eventually { device.counters.open == 0 })
            }
            #expect(device.counters.requestsServed == 4)
        }
    }

    @Test func `a device that releases connections late refuses who comes meanwhile`() async throws {
        try await withDevice {
            $0.releaseDelay = .seconds(2)
        } _: { device, port in
            let first = try await TestClient.connect(to: port)
            try await first.close()
            let second = try await TestClient.connect(to: port)
            #expect(await second.receive(1) == [])
            #expect(device.counters.refused == 1)
            #expect(try await eventually { device.counters.open == 0 })
            let third = try await TestClient.connect(to: port)
            #expect(try await third.sendAndReceive(Self.read, 13) == Self.answer)
        }
    }

    @Test func `a write that is carried out again is counted`() async throws {
        try await withDevice { device, port in
            let client = try await TestClient.connect(to: port)
            func write(_ value: UInt8, at address: UInt8) async throws {
                let write = [0, 1, 0, 0, 0, 6, 1, 6, 0, address, 0, value]
                #expect(try await client.sendAndReceive(write, 12) == write)
            }
            try await write(1, at: 9)
            try await write(2, at: 9)
            try await write(1, at: 10)
            #expect(device.counters.writesRepeated == 0)
            try await write(1, at: 9)
            try await write(1, at: 10)
            #expect(device.counters.writesRepeated == 2)
        }
    }
}
