import ArgumentParser
import MultiplexerCore

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the application protocols and what each is for."
    )

    func run() {
        print(Self.text)
    }

    static var text: String {
        let width = ApplicationProtocol.all.map(\.name.count).max() ?? 0
        let lines = ApplicationProtocol.all.map { known in
            let padding = String(repeating: " ", count: width - known.name.count)
            let aliases = known.aliases.isEmpty ? "" : " (also: \(known.aliases.joined(separator: ", ")))"
            return "* \(known.name)\(padding)  \(known.summary)\(aliases)"
        }
        return lines.joined(separator: "\n")
            + "\n\nusage for example: tcp-multiplexer server -p modbus -t 192.168.1.22:502 -l 5020"
    }
}
