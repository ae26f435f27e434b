import Logging
import MultiplexerCore
import SecureMux
import SimulatedDevice
import Testing

@testable import tcp_multiplexer

@Suite(.timeLimit(.minutes(1))) struct ProbeExchangeTests {
    private static let readSunS: [UInt8] = [1, 3, 0x9C, 0x40, 0, 2]
    private static let sunS: [UInt8] = [1, 3, 4, 0x53, 0x75, 0x6E, 0x53]

    /// What a probe of a simulated device that is configured like this gets.
    private func probe(
        _ message: [UInt8] = readSunS,
        timeout: Duration = .seconds(10),
        _ configure: (inout SimulatedDevice.Configuration) -> Void = { _ in }
    ) async throws -> Result<[UInt8], ProbeFailure> {
        var configuration = SimulatedDevice.Configuration()
        configure(&configuration)
        let device = SimulatedDevice(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = try await device.start()
        let result = await result(of: message, at: DeviceAddress(checked: "127.0.0.1", port: port), timeout)
        await device.stop()
        return result
    }

    private func result(
        of message: [UInt8],
        at address: DeviceAddress,
        _ timeout: Duration
    ) async -> Result<[UInt8], ProbeFailure> {
        do throws(ProbeFailure) {
            let exchange = ProbeExchange(address: address, tls: nil, timeout: timeout)
            return .success(try await exchange.response(to: message))
        } catch {
            return .failure(error)
        }
    }

    @Test func `a device answers`() async throws {
        #expect(try await probe() == .success(Self.sunS))
    }

    @Test func `a silent device fails when the time is over`() async throws {
        let expected = ProbeFailure(.noAnswer, "connected, but no answer within 2s")
        // The connect has this long too, on a busy machine.
        #expect(try await probe(timeout: .seconds(2)) { $0.swallowsFirstRequest = true } == .failure(expected))
    }

    @Test func `a connection that is closed before the answer is told`() async throws {
        let result = try await probe {
            $0.idleTimeout = .milliseconds(50)
            $0.swallowsFirstRequest = true
        }
        #expect(throws: ProbeFailure.self) { try result.get() }
        if case .failure(let failure) = result {
            #expect(failure.kind == .closedBeforeAnswer)
            #expect(failure.description.contains("may not be on the allow-list"))
        }
    }

    @Test func `something other than Modbus is malformed`() async throws {
        // The echo is a whole line, for a protocol id and length that no Modbus/TCP frame has.
        let message = [UInt8](repeating: 0x0A, count: 300)
        let result = try await probe(message) { $0.applicationProtocol = .echo }
        #expect(throws: ProbeFailure.self) { try result.get() }
        if case .failure(let failure) = result {
            #expect(failure.kind == .malformedAnswer)
        }
    }

    @Test func `a port where nobody listens refuses`() async throws {
        let device = SimulatedDevice(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = try await device.start()
        await device.stop()
        let address = DeviceAddress(checked: "127.0.0.1", port: port)
        let expected = ProbeFailure(.cannotConnect, "cannot connect to 127.0.0.1:\(port): Connection refused")
        #expect(await result(of: Self.readSunS, at: address, .seconds(10)) == .failure(expected))
    }

    @Test func `a name that does not exist is told`() async throws {
        // A label has 63 bytes at most (RFC 1035, section 2.3.4), so that no name server is asked.
        let host = String(repeating: "a", count: 64) + ".invalid"
        let address = DeviceAddress(checked: host, port: 502)
        let result = await result(of: Self.readSunS, at: address, .seconds(10))
        #expect(throws: ProbeFailure.self) { try result.get() }
        if case .failure(let failure) = result {
            #expect(failure.kind == .cannotConnect)
            #expect(failure.description.hasPrefix("cannot connect to \(host):502: "))
        }
    }
}
