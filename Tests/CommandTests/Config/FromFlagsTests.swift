import ArgumentParser
import MultiplexerCore
import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

/// A command line and the file that it amounts to.
@Suite struct FromFlagsTests {
    /// The command lines of `server` in all documents, and some with what those do not have.
    private static var commandLines: [[String]] {
        get throws {
            try Document.all.flatMap(\.commands).filter { $0.first == "server" && !$0.contains("--config") }
                .map { Array($0.dropFirst()) } + others
        }
    }

    private static let others = [
        [],
        [
            "-p", "modbus", "--target-protocol", "modbus-serial", "--unit-map", "1=2", "--unit-map", "3=4",
            "--broadcast",
        ],
        [
            "-p", "modbus", "--no-coalesce", "--write-priority", "--max-in-flight", "4", "--timeout", "3",
            "--idle-close", "off",
        ],
        ["-p", "length-prefixed", "--length-bytes", "4", "--length-includes-header", "--max-message", "2M"],
        ["-p", "delimited", "--delimiter", "0a", "-l", "[::1]:0", "--allow", "::1", "--deny", "10.0.0.0/8"],
        ["-p", "http", "-l", "8080", "--tls-listen", "8443", "--tls-certificate", "/a.crt", "--tls-key", "/$x.key"],
        ["-p", "modbus", "-t", "[fe80::1%eth0]:502", "--device-profile", "solaredge", "--gap", "0", "-v"],
    ]

    @Test(arguments: try commandLines)
    func `the file means what the command line means`(_ arguments: [String]) throws {
        let options = try Serve.parse(arguments)
        let text = ConfigurationText(of: options.written).text
        let file = try ConfigurationFile(text: text, of: "config.yml", environment: [:])
        let (meant, read) = (try options.meaning, file.configuration.devices[0])
        #expect(read.name == "device" && read.address == meant.address)
        #expect(read.multiplexer == meant.multiplexer)
        #expect(read.profile == meant.profile)
        #expect(read.applicationProtocol.name == meant.applicationProtocol.name)
        #expect(read.applicationProtocol.broadcastsUnit0 == meant.applicationProtocol.broadcastsUnit0)
        #expect(read.listeners.count == meant.listeners.count)
        for (read, meant) in zip(read.listeners, meant.listeners) {
            #expect(read.address == meant.address)
            #expect(
                (read.applicationProtocol ?? file.configuration.devices[0].applicationProtocol).name
                    == (try options.clientProtocol.name)
            )
            #expect(read.unitMap == meant.unitMap)
            #expect(read.rules.allowList == meant.rules.allowList && read.rules.limits == meant.rules.limits)
            #expect((read.rules.tls == nil) == (meant.rules.tls == nil))
            #expect(read.rules.tls?.clientCertificates == meant.rules.tls?.clientCertificates)
            #expect(read.rules.tls?.minimumVersion == meant.rules.tls?.minimumVersion)
        }
        #expect(file.written.process == options.written.process)
    }

    @Test func `there are command lines in the documents`() throws {
        #expect(try Self.commandLines.count > Self.others.count + 10)
    }
}
