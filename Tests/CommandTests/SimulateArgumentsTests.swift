import ArgumentParser
import MultiplexerCore
import SecureMux
import SimulatedDevice
import Testing

@testable import tcp_multiplexer

@Suite struct SimulateArgumentsTests {
    @Test func `without options it is an inverter with one connection on loopback`() throws {
        let simulate = try Simulate.parse([])
        #expect(simulate.device.listen == ListenAddress(checked: "127.0.0.1", port: 1502))
        #expect(try simulate.applicationProtocol().name == "modbus")
        #expect(simulate.device.connections == 1)
        #expect(simulate.device.responseDelay == .zero)
        #expect(simulate.device.idleTimeout == nil)
    }

    @Test func `the example in the help is whole in a window of 80 columns`() {
        let help = Simulate.helpMessage(columns: 80)
        #expect(help.contains("simulate --close-after 50 \\\n"))
        #expect(help.contains("    --fault late=1%:800ms --fault lost=0.5%\n"))
    }

    @Test func `options change each of that`() throws {
        let options = [
            "-l", "1600", "-p", "echo", "--connections", "0", "--response-delay", "20ms", "--idle-timeout", "1m",
        ]
        let simulate = try Simulate.parse(options)
        #expect(simulate.device.listen == ListenAddress(checked: nil, port: 1600))
        #expect(try simulate.applicationProtocol().name == "echo")
        #expect(simulate.device.connections == 0)
        #expect(simulate.device.responseDelay == .milliseconds(20))
        #expect(simulate.device.idleTimeout == .seconds(60))
    }

    @Test(
        arguments: [
            ("modbus", "modbus"), ("modbus-tcp", "modbus"), ("modbus-rtu", "modbus-rtu"),
            ("rtu-over-tcp", "modbus-serial"), ("echo", "echo"), ("line", "echo"), ("delimited", "delimited"),
            ("length-prefixed", "length-prefixed"), ("iso8583", "iso8583"), ("mpu", "mpu"),
        ]
    )
    func `a protocol has the names that the server knows`(given: String, name: String) throws {
        #expect(try Simulate.parse(["-p", given]).applicationProtocol().name == name)
    }

    @Test func `a protocol has the settings that the server knows`() throws {
        let simulate = try Simulate.parse(["-p", "iso8583", "--header-bytes", "5", "--length-format", "bcd"])
        let spoken = try simulate.applicationProtocol()
        let prefix = try LengthPrefix(headerBytes: 5, format: .bcd)
        #expect((spoken.framing as? LengthPrefixFraming)?.prefix == prefix)
    }

    @Test func `a device misbehaves as it is told`() throws {
        let options = [
            "--ready-after", "2s", "--swallow-first", "--close-after", "5", "--release-after", "100ms", "--fault",
            "late=1%:800ms", "--fault", "refuse=2%", "--seed", "9",
        ]
        var configuration = SimulatedDevice.Configuration()
        let faults = try Simulate.parse(options).faults
        try faults.apply(to: &configuration)
        #expect(configuration.readyAfter == .seconds(2))
        #expect(configuration.swallowsFirstRequest)
        #expect(configuration.closesAfter == 5)
        #expect(configuration.releaseDelay == .milliseconds(100))
        let rules = [
            FaultRule(.late, probability: 0.01, delay: .milliseconds(800)), FaultRule(.refuse, probability: 0.02),
        ]
        #expect(faults.rules == rules)
        #expect(faults.seed == 9)
    }

    @Test(arguments: [
        (["--connections", "-1"], "--connections"), (["--idle-timeout", "0"], "--idle-timeout must be longer than 0"),
        (["-p", "smtp"], "'smtp' is not a protocol"),
        (["--delimiter", "03"], "--delimiter is of no use to modbus"),
        (["--close-after", "0"], "--close-after must be 1 or more"),
        (["--fault", "late"], "'late' does not say how often"),
        (["--fault", "late=60%", "--fault", "lost=60%"], "--fault: the faults of requests sum up to more than 100%"),
        (["-p", "modbus-serial", "--fault", "wrong-id=1%"], "--fault wrong-id is of no use to modbus-serial"),
        (["-p", "echo", "--fault", "wrong-unit=1%"], "--fault wrong-unit is of no use to echo"),
        (["-l", "::1:80"], "an IPv6 address has to stand in brackets"),
    ])
    func `options that make no sense are refused with the reason`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Simulate.parse(options) }
        #expect(error.map { Simulate.message(for: $0).contains(reason) } == true)
    }
}
