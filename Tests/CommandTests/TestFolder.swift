import Foundation

/// A folder that is removed with the last reference to it.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        // Short, since a socket's path may not be long.
        path = "/tmp/tcp-multiplexer-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where a file of it is.
    subscript(name: String) -> String { "\(path)/\(name)" }

    /// Writes over what a file holds, or makes it and the folder that it is in.
    func write(_ text: String, to name: String) throws {
        let file = URL(filePath: self[name])
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Puts a file in the place of another one at once, as editors and tools for certificates do.
    func replace(_ name: String, by text: String) throws {
        try write(text, to: "\(name).new")
        try move("\(name).new", to: name)
    }

    /// Has a name lead to a file, instead of another one where it is taken.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self["\(name).new"], withDestinationPath: target)
        try move("\(name).new", to: name)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self[name]) }

    private func move(_ old: String, to new: String) throws {
        guard rename(self[old], self[new]) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
