import ArgumentParser
import ServerSettings

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Make a configuration file: an example, its schema for editors, or the file that options amount to.",
        subcommands: [Example.self, Schema.self, FromFlags.self]
    )

    /// Prints a configuration with every setting.
    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a configuration file with every setting, each explained and at its default."
        )

        func run() { print(ConfigurationExample.text, terminator: "") }
    }

    /// Prints the schema.
    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the JSON schema of the configuration file, with which editors complete and check it.",
            discussion: """
                For editors with the YAML language server, write in the first line of the file:

                  # yaml-language-server: $schema=tcp-multiplexer.schema.json
                """
        )

        func run() throws { print(try ConfigurationSchema.text) }
    }

    /// Prints the file that a command line amounts to.
    struct FromFlags: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the configuration file that options of 'server' amount to.",
            discussion: "Example: tcp-multiplexer config from-flags -p modbus -t 192.168.1.22:502 -l 5020"
        )

        @Option(help: ArgumentHelp("What the device is called. (default: device)", valueName: "name"))
        var name = "device"

        @OptionGroup
        var server: Serve

        func run() { print(ConfigurationText(of: server.written, name: name).text, terminator: "") }
    }
}
