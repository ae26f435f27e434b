import Foundation
import ServerSettings
import Testing

/// Mistakes in configuration files, and what is said of each: `Mistakes.txt` beside this file.
@Suite struct MistakesTests {
    /// A mistake and what is said of it, a line each.
    struct Mistake: CustomTestStringConvertible {
        let what: String
        let text: String
        let said: String

        var testDescription: String { what }
    }

    @Test(arguments: try Mistake.all)
    func `each mistake is named with its place and its remedy`(mistake: Mistake) throws {
        let folder = try TemporaryFolder()
        try folder.write(mistake.text, to: "config.yml")
        let problems = #expect(throws: FileProblems.self) {
            _ = try ConfigurationFile(folder.path("config.yml"), environment: [:])
        }
        let said = problems.map { "\($0)" }?.replacing(folder.path(""), with: "")
        #expect(said == mistake.said)
    }

    @Test func `there are more than a hundred, and each says where`() throws {
        let all = try Mistake.all
        #expect(all.count > 100)
        for line in all.flatMap({ $0.said.split(separator: "\n") }) {
            #expect(try /config\.yml:[1-9][0-9]*:[1-9][0-9]*: .+/.wholeMatch(in: line) != nil, "\(line)")
        }
    }
}

extension MistakesTests.Mistake {
    /// Those of the file.
    static var all: [Self] {
        get throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Mistakes.txt")
            return try String(contentsOf: file, encoding: .utf8).split(separator: "=== ").map { part in
                let title = part.prefix { $0 != "\n" }
                let halves = part.dropFirst(title.count + 1).split(
                    separator: "\n--- says\n",
                    omittingEmptySubsequences: false
                )
                return Self(
                    what: String(title),
                    text: "\(halves[0])\n",
                    said: halves[1].trimmingCharacters(in: .newlines)
                )
            }
        }
    }
}
