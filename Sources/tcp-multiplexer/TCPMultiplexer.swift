import ArgumentParser

@main
struct TCPMultiplexer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tcp-multiplexer",
        abstract: "Let many clients, plain or TLS, share the one connection that a device accepts.",
        discussion: """
            Example: share an inverter that accepts a single Modbus/TCP connection with the whole house.

              tcp-multiplexer server -p modbus -t 192.168.1.22:502 -l 5020 \\
                --allow 192.168.1.0/24
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Check.self, Reload.self, Release.self, Resume.self, Config.self, Probe.self, Simulate.self,
            List.self, ShowVersion.self,
        ]
    )

    static func main() async {
        do {
            var command = try await checkedCommand(Array(CommandLine.arguments.dropFirst()))
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }

    /// The command that arguments ask for.
    static func checkedCommand(_ arguments: [String]) async throws -> any ParsableCommand {
        let arguments = CommandLineChecks.movingLogFlags(in: arguments)
        let command = try await asyncParseAsRoot(arguments)
        try CommandLineChecks.refuseUnknownTopics(in: arguments, of: self)
        // What only asks for help or the version may be said as it comes.
        if type(of: command).configuration.commandName != "help" {
            try CommandLineChecks.refuseRepetitions(in: arguments)
        }
        return command
    }
}
