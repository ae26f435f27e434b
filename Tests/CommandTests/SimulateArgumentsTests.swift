import ArgumentParser
import SecureMux
import SimulatedDevice
import Testing

@testable import tcp_multiplexer

@Suite struct SimulateArgumentsTests {
    @Test func `without options it is an inverter with one connection on loopback`() throws {
        let simulate = try Simulate.parse([])
        #expect(simulate.listen == ListenAddress(host: "127.0.0.1", port: 1502))
        #expect(simulate.speech == .sunSpecInverter(.modbus))
        #expect(simulate.connections == 1)
        #expect(simulate.responseDelay == .zero)
        #expect(simulate.idleTimeout == nil)
    }

    @Test func `options change each of that`() throws {
        let options = [
            "-l", "1600", "-p", "echo", "--connections", "0", "--response-delay", "20ms", "--idle-timeout", "1m",
        ]
        let simulate = try Simulate.parse(options)
        #expect(simulate.listen == ListenAddress(host: nil, port: 1600))
        #expect(simulate.speech == .lineEcho)
        #expect(simulate.connections == 0)
        #expect(simulate.responseDelay == .milliseconds(20))
        #expect(simulate.idleTimeout == .seconds(60))
    }

    @Test(
        arguments: [
            ("modbus", .sunSpecInverter(.modbus)), ("modbus-tcp", .sunSpecInverter(.modbus)),
            ("modbus-rtu", .sunSpecInverter(.modbusRTU)), ("modbus-serial", .sunSpecInverter(.modbusSerial)),
            ("rtu-over-tcp", .sunSpecInverter(.modbusSerial)), ("echo", .lineEcho), ("line", .lineEcho),
        ] as [(String, SimulatedDevice.Speech)]
    )
    func `a protocol has the names that the server knows`(name: String, speech: SimulatedDevice.Speech) throws {
        #expect(try Simulate.parse(["-p", name]).speech == speech)
    }

    @Test(arguments: [
        (["--connections", "-1"], "--connections"), (["--idle-timeout", "0"], "--idle-timeout must be longer than 0"),
        (["-p", "http"], "'http' is not a protocol"), (["-l", "::1:80"], "an IPv6 address has to stand in brackets"),
    ])
    func `options that make no sense are refused with the reason`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Simulate.parse(options) }
        #expect(error.map { Simulate.message(for: $0).contains(reason) } == true)
    }
}
