import ArgumentParser
import Foundation
import Testing

@testable import tcp_multiplexer

/// What the documents for users say, held against the program and against each other.
@Suite struct DocumentationTests {
    @Test func `the README is short`() throws {
        #expect(try Document("README.md").lines.count <= 160)
    }

    @Test(arguments: try Document.all)
    func `every command in a document can be given`(_ document: Document) throws {
        for arguments in document.commands {
            #expect(throws: Never.self, "\(document.path): \(arguments.joined(separator: " "))") {
                _ = try TCPMultiplexer.parseAsRoot(arguments)
            }
        }
    }

    @Test func `the commands are found`() throws {
        for (path, count) in [("README.md", 3), ("docs/uses.md", 10), ("docs/coming-from-go.md", 1)] {
            #expect(try Document(path).commands.count >= count, "\(path)")
        }
    }

    @Test(arguments: try Document.all)
    func `every link of a document leads somewhere`(_ document: Document) throws {
        for link in document.links {
            #expect(try document.leads(link), "\(document.path): \(link)")
        }
    }

    @Test(arguments: try ["CONTRIBUTING.md", "docs/design.md", "docs/tls.md"].map(Document.init))
    func `every source file that is named is there`(_ document: Document) throws {
        let sources = try Document.sources
        // The guide's own.
        for file in document.namedFiles where !file.contains("Record") {
            #expect(sources.contains { "/\($0)".hasSuffix("/\(file)") }, "\(document.path): \(file)")
        }
    }

    @Test(arguments: ["-p", "-t", "-l", "--applicationProtocol", "--targetServer", "--retryDelay"])
    func `the table for users of the Go program has its options`(_ option: String) throws {
        #expect(try Document("docs/coming-from-go.md").text.contains("`\(option)"))
    }

    @Test func `every row of the comparison says something of every program`() throws {
        let rows = try Document("docs/comparison.md").lines.drop { !$0.contains("this program") }
            .prefix { $0.hasPrefix("|") }
        let columns = try #require(rows.first).split(separator: "|", omittingEmptySubsequences: false).count
        #expect(columns > 8)
        for row in rows.dropFirst() {
            let cells = row.split(separator: "|", omittingEmptySubsequences: false)
            #expect(cells.count == columns, "\(row)")
            #expect(cells.dropFirst().dropLast().allSatisfy { !$0.allSatisfy(\.isWhitespace) }, "\(row)")
        }
    }
}

/// A document of the repository.
struct Document: CustomTestStringConvertible {
    /// Where it is, from the root on.
    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    var testDescription: String { path }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

    /// Those at the root, those in the folder for documents, and those of other folders.
    static var all: [Document] {
        get throws {
            let files = FileManager.default
            let pages = try files.contentsOfDirectory(atPath: root.appending(path: "docs").path).map { "docs/\($0)" }
            let others = ["Benchmarks", "Fuzz", "Simulation", "certs-dev"].map { "\($0)/README.md" }
            return try (["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + pages.sorted() + others)
                .filter { $0.hasSuffix(".md") }.map(Document.init)
        }
    }

    /// Every file of Swift, from the root on.
    static var sources: [String] {
        get throws {
            try ["Sources", "Tests", "Simulation", "Fuzz"].flatMap { folder in
                try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
                    .map { "\(folder)/\($0)" }
            }.filter { $0.hasSuffix(".swift") } + ["Package.swift"]
        }
    }

    /// The Swift files that it names, with as much of their path as it has.
    var namedFiles: [String] { text.matches(of: /`([A-Za-z0-9+\/]+\.swift)`/).map { String($0.1) } }

    /// The arguments of each `tcp-multiplexer` at the beginning of a line, as the shell would split them.
    var commands: [[String]] {
        text.replacing("\\\n", with: " ").split(separator: "\n").compactMap { line in
            guard line.hasPrefix("tcp-multiplexer ") else { return nil }
            let words = line.split(separator: " ").dropFirst().map { $0.trimmingCharacters(in: ["'", "\""]) }
            // What a shell variable stands for is not known here.
            return words.contains { $0.hasPrefix("$") } ? nil : words
        }
    }

    /// The configuration files in it.
    var configurations: [String] {
        text.matches(of: /(?ms)^```yaml\n(version: 1\n.*?)^```/).map { String($0.1) }
    }

    /// Where its links lead that stay in the repository.
    var links: [String] {
        text.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) }.filter { !$0.contains("://") }
    }

    /// Whether there is such a file, and in it such a heading.
    func leads(_ link: String) throws -> Bool {
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let file =
            parts[0].isEmpty
            ? Self.root.appending(path: path)
            : Self.root.appending(path: path).deletingLastPathComponent().appending(path: parts[0]).standardizedFileURL
        guard FileManager.default.fileExists(atPath: file.path) else { return false }
        guard parts.count == 2 else { return true }
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            .contains { $0.hasPrefix("#") && Self.anchor(of: $0) == parts[1] }
    }

    /// What a heading is called in links.
    private static func anchor(of heading: Substring) -> String {
        let title = heading.drop { $0 == "#" }.drop { $0 == " " }.replacing(/\[([^\]]*)\]\([^)]*\)/) { $0.1 }
        return String(
            title.lowercased().replacing(" ", with: "-").filter { $0.isLetter || $0.isNumber || "-_".contains($0) }
        )
    }

    private static var root: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }
}
