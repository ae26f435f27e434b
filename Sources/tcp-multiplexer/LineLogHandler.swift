import Logging
import SecureMux
import ServerSettings

/// One line a message: time, level, message, then `key=value` pairs.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]

    private let threshold: LogThreshold
    /// What one logger was told, which is its own.
    private var ownLevel: Logger.Level?
    private let names: SettingNames
    private let output: LogOutput

    /// A handler of what is at least as grave as `level`, for readers who know settings by `names`.
    init(level: Logger.Level, names: SettingNames = .options, to output: LogOutput = .standardError) {
        self.init(threshold: LogThreshold(level), names: names, to: output)
    }

    /// A handler of what is at least as grave as `threshold` says at the time.
    init(threshold: LogThreshold, names: SettingNames, to output: LogOutput) {
        self.threshold = threshold
        self.names = names
        self.output = output
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        output.say(line(for: event, at: .now))
    }

    /// The line without its end.
    func line(for event: LogEvent, at time: Timestamp) -> String {
        var pairs = metadata.merging(event.metadata ?? [:]) { _, specific in specific }
        // It is the message, which could not keep the settings that it names.
        let message = pairs.removeValue(forKey: "sentence").map(text) ?? "\(event.message)"
        let start = "\(time) \(event.level.name) \(message.escapingControls)"
        return pairs.sorted { Self.order($0.key) < Self.order($1.key) }
            .reduce(start) { "\($0) \($1.key)=\(text($1.value).quotedUnlessPlain)" }
    }

    /// A sentence names settings.
    private func text(_ value: Logger.MetadataValue) -> String {
        if case .stringConvertible(let sentence as Sentence) = value { names.text(sentence) } else { "\(value)" }
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
