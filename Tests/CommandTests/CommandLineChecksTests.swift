import ArgumentParser
import Testing

@testable import tcp_multiplexer

@Suite struct CommandLineChecksTests {
    @Test(
        arguments: [
            (["server", "-l", "5020", "-l", "5021"], "-l 5020 and -l 5021"),
            (["server", "-l", "5020", "--listen", "5020"], "-l 5020 and --listen 5020"),
            (["server", "--timeout=5s", "-v", "--timeout", "6s"], "--timeout 5s and --timeout 6s"),
            (["server", "-vl", "5020", "-dl", "5021"], "-l 5020 and -l 5021"),
            (["server", "-t", "a:1", "--targetServer", "b:2"], "-t a:1 and --targetServer b:2"),
            (["simulate", "--seed", "1", "--seed", "2"], "--seed 1 and --seed 2"),
            (["probe", "a:1", "--read", "0:1", "--unit", "1", "--unit", "2"], "--unit 1 and --unit 2"),
        ] as [([String], String)]
    )
    func `an option that takes one value is not given twice`(_ arguments: [String], _ both: String) async throws {
        let error = await #expect(throws: ValidationError.self) {
            _ = try await TCPMultiplexer.checkedCommand(arguments)
        }
        #expect(error?.message == "\(both): this option is to be given once; leave one out")
        #expect(TCPMultiplexer.exitCode(for: try #require(error)) == .validationFailure)
    }

    @Test(arguments: [
        (["server", "-p", "modbus", "--broadcast", "--no-broadcast"], "--broadcast and --no-broadcast")
    ])
    func `an option and its opposite are not given together`(_ arguments: [String], _ both: String) async throws {
        let error = await #expect(throws: ValidationError.self) {
            _ = try await TCPMultiplexer.checkedCommand(arguments)
        }
        #expect(error?.message == "\(both): these contradict each other; leave one out")
    }

    @Test(arguments: [
        ["server", "--allow", "10.0.0.0/8", "--allow", "fd00::/8", "-v", "-v", "-l", "5020"],
        ["server", "-p", "modbus", "--unit-map", "1=0", "--unit-map", "2=7"],
        ["simulate", "--fault", "lost=1%", "--fault", "close=1%"],
        ["probe", "--tls", "a:1", "--read", "0:1", "--ca", "ca.pem", "--tls"],
        ["server", "-vd", "-dv"],
        ["help"], ["help", "help"], ["help", "config", "example"], ["help", "server"], ["list"], ["version"], [],
    ])
    func `lists and flags may be repeated`(_ arguments: [String]) async throws {
        _ = try await TCPMultiplexer.checkedCommand(arguments)
    }

    @Test(arguments: [
        (["-v", "server", "-l", "5020"], ["server", "-v", "-l", "5020"]), (["-d", "server"], ["server", "-d"]),
        (["-vd", "--verbose", "server"], ["server", "-vd", "--verbose"]), (["-v", "list"], ["list"]), (["-v"], ["-v"]),
        (["server", "-v"], ["server", "-v"]), ([], []),
    ])
    func `flags of the log may stand before the command`(_ given: [String], _ meant: [String]) {
        #expect(CommandLineChecks.movingLogFlags(in: given) == meant)
    }

    // Otherwise a new one, or another name of one, would be let through.
    @Test(arguments: [Serve.self, Simulate.self, Probe.self] as [any ParsableCommand.Type])
    func `every option with a value is known by all of its names`(_ command: any ParsableCommand.Type) {
        // Lines are broken anywhere.
        let options = command.helpMessage(columns: 10_000).matches(of: /(?m)^ +((?:-\S+, )*-\S+) <\S+>/)
            .map { $0.1.split(separator: ", ").map(String.init) }
        #expect(options.count > 5)
        for names in options {
            for name in names {
                let arguments = [names[0], "1", name, "2"]
                if ["--allow", "--deny", "--unit-map", "--fault"].contains(names[0]) {
                    #expect(throws: Never.self) { try CommandLineChecks.refuseRepetitions(in: arguments) }
                } else {
                    #expect(throws: ValidationError.self, "\(arguments)") {
                        try CommandLineChecks.refuseRepetitions(in: arguments)
                    }
                }
            }
        }
    }

    @Test(arguments: [["help", "servers"], ["help", "server", "probe"], ["help", "server", "tls"]])
    func `help on what there is not names what there is`(_ arguments: [String]) async throws {
        let error = await #expect(throws: ValidationError.self) {
            _ = try await TCPMultiplexer.checkedCommand(arguments)
        }
        let last = try #require(arguments.last)
        let all = TCPMultiplexer.configuration.subcommands.map { $0._commandName } + ["help"]
        #expect(
            error?.message
                == "there is no help on '\(last)', only on one of: \(all.joined(separator: ", "))"
        )
    }
}
