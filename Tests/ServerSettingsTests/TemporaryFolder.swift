import Foundation

/// A folder that is removed with the last reference to it.
final class TemporaryFolder {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// Where a file of it is; with a slash at the end for the folder.
    func path(_ name: String) -> String { "\(url.path)/\(name)" }

    /// Makes a file, and the folder that it is in.
    func write(_ text: String, to name: String) throws {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Makes a file of any bytes.
    ///
    /// - Returns: Where it is.
    func file(holding content: [UInt8]) throws -> String {
        let file = url.appending(path: "content")
        try Data(content).write(to: file)
        return file.path
    }
}
