import MultiplexerCore
import SecureMux

/// A configuration file that explains itself: every setting with what it does, as a comment at its default where it has one.
package enum ConfigurationExample {
    /// The file's content.
    ///
    /// It shares the device that 'tcp-multiplexer simulate' is, with this machine alone.
    package static let text = """
        # A configuration of tcp-multiplexer, for: tcp-multiplexer server --config FILE
        #
        # A line such as "#timeout: 5s" is a setting at its default: take the "#" away and change it. Other comments explain.
        # 'tcp-multiplexer check --config FILE' says what is wrong with a file. ${NAME} and ${NAME:-default} stand for variables
        # of the environment, $$ for a dollar sign. A file that is named is looked for in this file's folder.

        version: 1

        # include: conf.d/*.yml
        #   Other files, each with further devices below 'devices'.

        \(settings(of: .process, indented: 0))
        # What holds for every device and every listener that does not say something else.
        #defaults:
        #  device: {}
        #  listener: {}

        devices:
          # What the log calls the device. This one is what 'tcp-multiplexer simulate' simulates.
          example:
            # The device's address and port. It gets one connection.
            target: 127.0.0.1:1502
            # What it speaks: \(ApplicationProtocol.all.map(\.name).joined(separator: ", ")).
            protocol: modbus
            # Where clients connect; all share the device's one connection.
            listeners:
              # A port alone is one of the loopback, for programs of this machine. For others write 0.0.0.0:5020 (or *:5020, with
              # IPv6), and limit who may come with 'allow' or with 'tls'.
              - address: 5020

        \(settings(of: .listener, indented: 8))
            # Further settings of the device.

        \(settings(of: .device, indented: 4))
        """

    /// The same file with every setting written that stands in it as a comment.
    package static var withDefaults: String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let rest = line.drop { $0 == " " }
            guard rest.hasPrefix("#"), let first = rest.dropFirst().first else { return String(line) }
            // After two spaces comes what is below the line before; after one or three, words.
            let spaces = rest.dropFirst().prefix { $0 == " " }.count
            guard spaces == 0 && first != "#" || spaces == 2 else { return String(line) }
            return String(line.prefix { $0 == " " } + rest.dropFirst())
        }.joined(separator: "\n")
    }

    private static func settings(of scope: SettingDefinition.Scope, indented spaces: Int) -> String {
        let indentation = String(repeating: " ", count: spaces)
        var settings: [String] = []
        for key in SettingDefinition.keys(of: scope) {
            let definitions = SettingDefinition.all(of: scope).filter { $0.key.first == key && !$0.isRequired }
            settings += lines(of: definitions, below: key)
        }
        return settings.map { $0.isEmpty ? "" : indentation + $0 }.joined(separator: "\n")
    }

    private static func lines(of definitions: [SettingDefinition], below key: String) -> [String] {
        guard let first = definitions.first else { return [] }
        guard first.key.count == 2 else { return first.explanation + [first.line, ""] }
        // Of some, one alone makes no sense.
        let standAlone = definitions.allSatisfy { $0.scope == .process }
        var lines = [standAlone ? "#\(key):" : "# \(key):"]
        for definition in definitions { lines += definition.explanation + [definition.line(indented: standAlone)] }
        return lines + [""]
    }
}

extension SettingDefinition {
    fileprivate var isRequired: Bool { if case .required = standard { true } else { false } }

    /// What it does, in lines.
    fileprivate var explanation: [String] {
        "\(summary.namingKeys)".wrapped(to: 100).map { (key.count == 2 ? "#   # " : "# ") + $0 }
    }

    /// The setting at its default, or what its default is.
    fileprivate var line: String { line(indented: false) }

    fileprivate func line(indented isIndented: Bool) -> String {
        let name = key.last ?? ""
        switch standard {
        case .value(let text) where key.count == 1: return "#\(name): \(text)"
        case .value(let text) where isIndented: return "#  \(name): \(text)"
        case .value(let text): return "#   \(name): \(text)"
        case .words(let words), .required(let words):
            return "\(key.count == 2 ? "#   " : "# ")\(name): <\(value.form)>  (default: \(words.namingKeys))"
        }
    }
}

extension String {
    /// Its words in lines of at most `width` characters, as far as words are shorter.
    fileprivate func wrapped(to width: Int) -> [String] {
        split(separator: " ").reduce(into: [""]) { lines, word in
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count <= width {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }
}
