import ArgumentParser
import MultiplexerCore

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the application protocols and what each is for."
    )

    func run() {
        let width = ApplicationProtocol.all.map(\.name.count).max() ?? 0
        for known in ApplicationProtocol.all {
            let padding = String(repeating: " ", count: width - known.name.count)
            let aliases = known.aliases.isEmpty ? "" : " (also: \(known.aliases.joined(separator: ", ")))"
            print("* \(known.name)\(padding)  \(known.summary)\(aliases)")
        }
        print("\nusage for example: tcp-multiplexer server -p modbus -t 192.168.1.22:502 -l 5020")
    }
}
