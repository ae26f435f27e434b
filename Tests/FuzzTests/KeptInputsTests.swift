import Foundation
import FuzzTargets
import Testing

/// Replays what the fuzzer starts from, and what it has found.
@Suite struct KeptInputsTests {
    static let fuzz = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz")

    @Test(arguments: FuzzTarget.all.map(\.name))
    func `every input kept for a target holds its promises`(_ name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let seeds = try Self.files(in: "Corpus/\(name)")
        #expect(!seeds.isEmpty)
        for file in try seeds + Self.files(in: "Regressions/\(name)") {
            let violation = try target.violation(by: Array(Data(contentsOf: file)))
            if let violation { Issue.record("\(file.path(percentEncoded: false)): \(violation)") }
        }
    }

    // A renamed target must take its inputs along.
    @Test(arguments: ["Corpus", "Regressions"])
    func `every folder of inputs belongs to a target`(_ folder: String) throws {
        let names = try Self.files(in: folder).map(\.lastPathComponent)
        #expect(Set(names).isSubset(of: FuzzTarget.all.map(\.name)))
    }

    /// What is in a folder; nothing where there is none.
    private static func files(in folder: String) throws -> [URL] {
        let folder = fuzz.appending(path: folder)
        guard FileManager.default.fileExists(atPath: folder.path(percentEncoded: false)) else { return [] }
        return try FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil,
            options: .skipsHiddenFiles
        )
    }
}
