import Logging

/// One line a message on standard error: time, level, message, then `key=value` pairs.
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
        StandardError.say(line(for: event, at: .now))
    }

    /// The line without its end.
    func line(for event: LogEvent, at time: Timestamp) -> String {
        let start = "\(time) \(event.level.name) \("\(event.message)".escapingControls)"
        let pairs = metadata.merging(event.metadata ?? [:]) { _, specific in specific }
        return pairs.sorted { Self.order($0.key) < Self.order($1.key) }
            .reduce(start) { "\($0) \($1.key)=\("\($1.value)".quotedUnlessPlain)" }
    }

    /// Who comes first, then what and why, then what to do.
    private static func order(_ key: String) -> String {
        let first = ["client", "device", "address"].contains(key)
        let last = key == "remedy"
        return (first ? "0" : last ? "2" : "1") + key
    }
}

extension Logger.Level {
    fileprivate var name: String {
        // Padded, so that messages begin in one column.
        rawValue + String(repeating: " ", count: max(8 - rawValue.count, 0))
    }
}
