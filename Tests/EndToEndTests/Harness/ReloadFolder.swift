import Foundation

/// A folder for a configuration file and what it names, removed with the last reference to it.
final class ReloadFolder: Sendable {
    /// Short, since a socket's path may not be long.
    let path = "/tmp/tcp-multiplexer-\(UInt32.random(in: 0 ... .max))"

    init() {
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where a file of it is.
    subscript(name: String) -> String { "\(path)/\(name)" }

    /// Puts a text in the place of a file at once.
    func write(_ text: String, to name: String = "config.yml") throws {
        try Data(text.utf8).write(to: URL(filePath: self[name]), options: .atomic)
    }

    /// Has a name lead to a file, instead of another one where it is taken, at once.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self["new link"], withDestinationPath: target)
        guard rename(self["new link"], self[name]) == 0 else {
            throw Disappointment(description: "\(name): \(String(cString: strerror(errno)))")
        }
    }
}
