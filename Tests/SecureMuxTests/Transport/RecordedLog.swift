import Logging
import NIOConcurrencyHelpers

/// The lines that a test's server logged.
final class RecordedLog: Sendable {
    private let recorded = NIOLockedValueBox<[String]>([])

    /// The lines so far, as `level message key=value …`.
    var lines: [String] { recorded.withLockedValue { $0 } }

    var logger: Logger {
        Logger(label: "test") { [self] _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: RecordedLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let pairs = metadata.merging(event.metadata ?? [:]) { _, specific in specific }
                .sorted { $0.key < $1.key }
                .map { " \($0.key)=\($0.value)" }
                .joined()
            log.recorded.withLockedValue { $0.append("\(event.level) \(event.message)\(pairs)") }
        }
    }
}
