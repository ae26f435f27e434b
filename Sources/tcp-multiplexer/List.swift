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

    /// What a protocol is for, and with which options it can be something else.
    static func purpose(of known: ApplicationProtocol) -> String {
        switch known.name {
        case ApplicationProtocol.delimited.name:
            "messages that end with CR LF, or with what --delimiter says: instruments, scanners, printers"
        case ApplicationProtocol.lengthPrefixed.name:
            "messages of any kind behind their length: 2 bytes, or what --length-bytes and its like say"
        default:
            known.summary
        }
    }

    static var text: String {
        let width = ApplicationProtocol.all.map(\.name.count).max() ?? 0
        let lines = ApplicationProtocol.all.map { known in
            let padding = String(repeating: " ", count: width - known.name.count)
            let aliases = known.aliases.isEmpty ? "" : " (also: \(known.aliases.joined(separator: ", ")))"
            return "* \(known.name)\(padding)  \(purpose(of: known))\(aliases)"
        }
        return lines.joined(separator: "\n")
            + "\n\nusage for example: tcp-multiplexer server -p modbus -t 192.168.1.22:502 -l 5020"
    }
}
