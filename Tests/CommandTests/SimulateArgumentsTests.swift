import ArgumentParser
import MultiplexerCore
import SecureMux
import SimulatedDevice
import Testing

@testable import tcp_multiplexer

@Suite struct SimulateArgumentsTests {
    @Test func `without options it is an inverter with one connection on loopback`() throws {
        let simulate = try Simulate.parse([])
        #expect(simulate.listen == ListenAddress(host: "127.0.0.1", port: 1502))
        #expect(try Speech(simulate.speech()) == .inverter)
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
        #expect(try Speech(simulate.speech()) == .echo("echo"))
        #expect(simulate.connections == 0)
        #expect(simulate.responseDelay == .milliseconds(20))
        #expect(simulate.idleTimeout == .seconds(60))
    }

    /// What a device speaks, to be compared.
    enum Speech: Equatable {
        case inverter
        case echo(String)

        init(_ speech: SimulatedDevice.Speech) {
            switch speech {
            case .sunSpecInverter: self = .inverter
            case .echo(let spoken): self = .echo(spoken.name)
            }
        }
    }

    @Test(
        arguments: [
            ("modbus", .inverter), ("modbus-tcp", .inverter), ("echo", .echo("echo")), ("line", .echo("echo")),
            ("delimited", .echo("delimited")), ("length-prefixed", .echo("length-prefixed")),
            ("iso8583", .echo("iso8583")), ("mpu", .echo("mpu")),
        ] as [(String, Speech)]
    )
    func `a protocol has the names that the server knows`(name: String, speech: Speech) throws {
        #expect(try Speech(Simulate.parse(["-p", name]).speech()) == speech)
    }

    @Test func `a protocol has the settings that the server knows`() throws {
        let simulate = try Simulate.parse(["-p", "iso8583", "--header-bytes", "5", "--length-format", "bcd"])
        guard case .echo(let spoken) = try simulate.speech() else {
            Issue.record("an inverter does not speak ISO 8583")
            return
        }
        let prefix = try LengthPrefix(headerBytes: 5, format: .bcd)
        #expect((spoken.framing as? LengthPrefixFraming)?.prefix == prefix)
    }

    @Test(arguments: [
        (["--connections", "-1"], "--connections"), (["--idle-timeout", "0"], "--idle-timeout must be longer than 0"),
        (["-p", "smtp"], "'smtp' is not a protocol"),
        (["--delimiter", "03"], "--delimiter is of no use to modbus"),
        (["-l", "::1:80"], "an IPv6 address has to stand in brackets"),
    ])
    func `options that make no sense are refused with the reason`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Simulate.parse(options) }
        #expect(error.map { Simulate.message(for: $0).contains(reason) } == true)
    }
}
