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
        subcommands: [Serve.self, Probe.self, Simulate.self, List.self, ShowVersion.self]
    )
}
