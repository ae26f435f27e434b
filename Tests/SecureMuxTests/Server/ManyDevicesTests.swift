import Logging
import MultiplexerCore
import NIOCore
import SimulatedDevice
import Testing

@testable import SecureMux

/// Several devices in one server.
@Suite(.timeLimit(.minutes(2))) struct ManyDevicesTests {
    @Test func `each device is shared by its own clients`() async throws {
        let devices = try await (0..<3).asyncMap { _ in try await TestDevice.start() }
        try await withServer(sharing: devices.map(\.port)) { server, _ in
            #expect(server.addresses.count == 3)
            for (index, device) in devices.enumerated() {
                let name = "device \(index)"
                #expect(server.addresses(of: name) == [server.addresses[index]])
                let client = try await TestPeer.connect(to: server.addresses[index].port)
                try await client.send(read(transaction: 7, unit: 1, address: 0, count: 1))
                let link = try await device.connection()
                try await link.send(answer(try await link.receiveFrame(), registers: [UInt16(index)]))
                #expect(try await client.receiveFrame().suffix(2) == [0, UInt8(index)])
                #expect(try await server.statistics(of: name).responses == 1)
            }
            #expect(server.addresses(of: "another") == [])
        }
        for device in devices { try await device.stop() }
    }

    @Test func `a line of the log says which device it is about`() async throws {
        let device = try await TestDevice.start()
        try await withServer(sharing: [device.port, 1]) { server, log in
            let good = try await TestPeer.connect(to: server.addresses[0].port)
            try await good.send(read(transaction: 7, unit: 1, address: 0, count: 1))
            _ = try await device.connection().receiveFrame()
            let bad = try await TestPeer.connect(to: server.addresses[1].port)
            try await bad.send([1, 2, 3, 4, 5, 6, 7, 8])
            try await eventually {
                log.lines.contains { $0.contains("connected to the device device=device 0") }
                    && log.lines.contains { $0.contains("client refused") && $0.contains("device=device 1") }
            }
        }
        try await device.stop()
    }

    @Test func `what becomes of one device is nothing to the others`() async throws {
        let faulty: [(inout SimulatedDevice.Configuration) throws -> Void] = [
            { $0.faults = try FaultPlan([FaultRule(.lost, probability: 1)], seed: 1) },
            { $0.faults = try FaultPlan([FaultRule(.unsolicited, probability: 1)], seed: 1) },
            { $0.closesAfter = 1 },
            { $0.faults = try FaultPlan([FaultRule(.refuse, probability: 1)], seed: 1) },
        ]
        var devices: [SimulatedDevice] = []
        for index in 0..<8 {
            var configuration = SimulatedDevice.Configuration()
            if index < faulty.count { try faulty[index](&configuration) }
            devices.append(
                SimulatedDevice(configuration, logger: Logger(label: "device") { _ in SwiftLogNoOpLogHandler() })
            )
        }
        let ports = try await devices.asyncMap { try await $0.start() }
        try await withServer(sharing: ports) { server, _ in
            try await withThrowingTaskGroup { group in
                for index in faulty.indices {
                    group.addTask {
                        let client = try await TestPeer.connect(to: server.addresses[index].port)
                        for _ in 0..<50 { try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1)) }
                    }
                }
                for index in faulty.count..<devices.count {
                    group.addTask {
                        let client = try await TestPeer.connect(to: server.addresses[index].port)
                        for round in 0..<200 as Range<UInt8> {
                            let value = round ^ UInt8(index)
                            let request = write(transaction: round, unit: 1, address: 9, value: value)
                            #expect(try await client.exchange(request) == request)
                            let answer = try await client.exchange(
                                read(transaction: round, unit: 1, address: 9, count: 1)
                            )
                            #expect(answer.suffix(2) == [0, value])
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        for device in devices { await device.stop() }
    }

    /// Runs a server that shares a device at each of these ports, called "device 0" and so on.
    private func withServer(
        sharing ports: [Int],
        _ body: (Server, RecordedLog) async throws -> Void
    ) async throws {
        let log = RecordedLog()
        let devices = ports.enumerated().map { index, port in
            DeviceConfiguration(
                name: "device \(index)",
                address: DeviceAddress(checked: "127.0.0.1", port: port),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: 0))],
                multiplexer: .patient()
            )
        }
        let server = try await Server.start(try ServerConfiguration(devices: devices), logger: log.logger)
        do {
            try await body(server, log)
        } catch {
            await server.drain()
            throw error
        }
        await server.drain()
    }
}

extension Collection where Self: Sendable, Element: Sendable {
    /// The results for all elements, in their order.
    fileprivate func asyncMap<Result: Sendable>(
        _ transform: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}
