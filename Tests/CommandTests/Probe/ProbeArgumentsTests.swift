import ArgumentParser
import MultiplexerCore
import SecureMux
import Testing

@testable import tcp_multiplexer

@Suite struct ProbeArgumentsTests {
    @Test func `a host, a unit and what to read are enough`() throws {
        let probe = try Probe.parse(["inverter.lan:502", "--unit", "7", "--read-input", "30000:2"])
        #expect(probe.address == DeviceAddress(checked: "inverter.lan", port: 502))
        #expect(probe.request.unit == 7)
        #expect(try probe.request.only() == .read(.inputRegisters, 30_000..<30_002))
        #expect(probe.timeout == .seconds(15))
        #expect(try probe.tls.context(for: probe.address, timeout: probe.timeout) == nil)
    }

    @Test func `negative values can be written`() throws {
        #expect(try Probe.parse(["h:1", "--write", "5=-1"]).request.only() == .write([0xFFFF], at: 5))
    }

    @Test(
        arguments: [
            ([], "give one of --read, --read-input, --read-coils, --read-discrete and --write"),
            (["--read", "0", "--write", "0=1"], "give only one of --read"),
            (["--read", "0", "--timeout", "0"], "--timeout must be longer than 0"),
            (["--read", "0:126"], "126 is not a count of holding registers from 1 to 125"),
            (["--read", "0", "--unit", "256"], "256"),
            (["--read", "0", "--tls"], "--tls needs --ca"),
            (["--read", "0", "--ca", "f"], "--ca needs TLS"),
            (["--read", "0", "--server-name", "n"], "--server-name needs TLS"),
            (["--read", "0", "--tls", "--ca", "f", "--key", "k"], "--certificate and --key are only of use together"),
            (["--read", "0", "--tls", "--ca", "f", "--key-passphrase-file", "k"], "--key-passphrase-file needs --key"),
        ] as [([String], String)]
    )
    func `options that make no sense are refused with the reason`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Probe.parse(["127.0.0.1:502"] + options) }
        #expect(error.map { Probe.message(for: $0).contains(reason) } == true)
        #expect(error.map { Probe.exitCode(for: $0) } == .validationFailure)
    }

    @Test func `a missing port is told with an example`() {
        let error = #expect(throws: (any Error).self) { try Probe.parse(["inverter.lan", "--read", "0"]) }
        #expect(error.map { Probe.message(for: $0).contains("it names no port. Write host:port, as in") } == true)
    }

    @Test func `TLS files that cannot be read are a TLS failure`() throws {
        let probe = try Probe.parse(["127.0.0.1:502", "--read", "0", "--tls", "--ca", "/nonexistent/ca.pem"])
        let error = #expect(throws: ProbeFailure.self) {
            try probe.tls.context(for: probe.address, timeout: .seconds(1))
        }
        #expect(error?.kind == .tls)
        #expect(error?.description.contains("/nonexistent/ca.pem") == true)
    }
}
