import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

/// The table of settings in the documents, held against what the program has.
@Suite struct SettingsDocumentTests {
    private static let path = "docs/configuration.md"

    /// The rows as they should be, in the order of the program.
    private static var rows: [String] {
        SettingDefinition.all.filter { $0.scope != .commandLine }.map { definition in
            let standard =
                switch definition.standard {
                case .value(let text): "`\(text)`"
                case .words(let words): words.namingKeys
                case .required: "has to be written"
                }
            let cells = [
                definition.scope.rawValue, "`\(definition.key.joined(separator: "."))`",
                "`\(definition.setting.option)`", definition.value.form.replacing("|", with: " or "), standard,
                definition.reload.rawValue,
            ]
            return "| \(cells.joined(separator: " | ")) |"
        }
    }

    @Test func `the table has every setting, with its key, its option, its default and what a reload does`() throws {
        let lines = try Document(Self.path).lines
        let start = try #require(lines.firstIndex { $0.hasPrefix("| of | key | option |") })
        #expect(
            Array(lines[(start + 2)...].prefix { $0.hasPrefix("|") }) == Self.rows,
            "\(Self.rows.joined(separator: "\n"))"
        )
    }

    @Test(arguments: try Document.all)
    func `every configuration in a document can be read`(_ document: Document) throws {
        for text in document.configurations {
            #expect(throws: Never.self, "\(document.path): \(text)") {
                _ = try ConfigurationFile(text: text, of: document.path, environment: [:])
            }
        }
    }

    @Test func `configurations are found`() throws {
        #expect(try Document(Self.path).configurations.count >= 4)
        #expect(try Document("README.md").configurations.count == 1)
    }

    @Test func `each option of a setting has a section of its own`() throws {
        let headings = try Document(Self.path).lines.filter { $0.hasPrefix("#### ") }
        for definition in SettingDefinition.all {
            let option = definition.setting.option
            let isThere = headings.contains {
                $0.contains("`\(option)`") || $0.contains("`\(option) <") || $0.contains("`\(option),")
            }
            let isOpposite = headings.contains { $0.contains("`--no-\(definition.setting.rawValue)`") }
            #expect(isThere || isOpposite, "\(option)")
        }
    }
}
