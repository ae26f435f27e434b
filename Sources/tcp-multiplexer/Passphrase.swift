import Foundation
import SecureMux

/// A passphrase kept in a file, so that no process list shows it.
enum Passphrase {
    static func read(_ path: String, option: String) throws -> String {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
                ?? ""
        } catch {
            throw ConfigurationError("\(option) \(path): the file cannot be read")
        }
    }
}
