import ArgumentParser
import Foundation
import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

/// The library says which setting is meant, the command how it is given.
@Suite struct SettingOptionsTests {
    private static let commands: [any ParsableCommand.Type] = [Serve.self, Probe.self, Simulate.self, List.self]

    /// Every option that the help of a command names.
    private static func options(of command: any ParsableCommand.Type) -> Set<String> {
        options(in: command.helpMessage(columns: 10_000))
    }

    /// What looks like an option in a text.
    private static func options(in text: String) -> Set<String> {
        Set(text.matches(of: /(?:^|[^\w-])(--?[a-zA-Z][a-zA-Z-]*)/).map { String($0.1) })
    }

    @Test(arguments: Setting.allCases)
    func `every setting has an option`(setting: Setting) {
        let options = Self.options(of: Serve.self).union(Self.options(of: Probe.self))
        #expect([nil, .off].contains { options.contains(setting.option(with: $0)) })
    }

    @Test(
        arguments: [
            ("use a CA in \(.clientCA)", "use a CA in --client-ca"),
            ("set \(.unitIDs, "ignored")", "set --unit-ids ignored"),
            ("give \(.broadcast, false)", "give --no-broadcast"), ("give \(.broadcast, true)", "give --broadcast"),
            ("add \(.applicationProtocol, "modbus")", "add -p modbus"),
            ("what \(.clientProtocol) names", "what --protocol names"),
        ] as [(Sentence, String)]
    )
    func `a sentence names options`(sentence: Sentence, text: String) {
        #expect(sentence.namingOptions == text)
    }

    @Test func `an error names options, whatever its type`() {
        struct Other: Error {}
        let error: any Error = ConfigurationError("give \(.tlsKey)")
        #expect(error.namingOptions == "give --tls-key")
        #expect(Other().namingOptions == "Other()")
    }

    @Test func `options are found in the help`() {
        let options = Self.options(of: Serve.self)
        #expect(options.isSuperset(of: ["--client-ca", "--no-broadcast", "--no-coalesce", "-p", "-t", "-l"]))
    }

    @Test func `neither the library nor the core names an option`() throws {
        let options = Self.commands.reduce(into: Set()) { $0.formUnion(Self.options(of: $1)) }
        let files = try Document.sources.filter { file in
            ["Sources/SecureMux/", "Sources/MultiplexerCore/"].contains(where: file.hasPrefix)
        }
        #expect(files.count > 100)
        for file in files {
            // Between quotes within a text stand the commands of others.
            let text = try Document(file).text.replacing(/\\"[^"\n]*\\"/, with: "")
            #expect(Self.options(in: text).isDisjoint(with: options), "\(file)")
        }
    }
}
