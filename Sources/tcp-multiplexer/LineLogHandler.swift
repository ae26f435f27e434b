import Foundation
import Logging

/// One line a message on standard error: time, level, message, then `key=value` pairs.
///
/// Values can come from peers, such as a certificate's subject, so control characters are escaped: no peer can forge a line.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(level: Logger.Level) {
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = "\(Date.now.formatted(Self.time)) \(event.level.name) \(event.message)"
        let pairs = metadata.merging(event.metadata ?? [:]) { _, specific in specific }
        for (key, value) in pairs.sorted(by: { Self.order($0.key) < Self.order($1.key) }) {
            line += " \(key)=\(Self.quoted("\(value)"))"
        }
        line += "\n"
        // One write a line, so that lines of several threads do not mix.
        try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Who comes first, then what and why, then what to do.
    private static func order(_ key: String) -> String {
        let first = ["client", "device", "address"].contains(key)
        let last = key == "remedy"
        return (first ? "0" : last ? "2" : "1") + key
    }

    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" }
        guard !isPlain else { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            default:
                if scalar.properties.generalCategory == .control {
                    quoted += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }
}

extension Logger.Level {
    fileprivate var name: String {
        // Padded, so that messages begin in one column.
        rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
    }
}
