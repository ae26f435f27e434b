import Dispatch
import Logging
import NIOConcurrencyHelpers

/// The lines that a test's server logged.
final class RecordedLog: Sendable {
    private let recorded = NIOLockedValueBox<[String]>([])
    private let stop = NIOLockedValueBox<(words: String, lasting: DispatchSemaphore)?>(nil)

    /// The lines so far, as `level message key=value …`.
    var lines: [String] { recorded.withLockedValue { $0 } }

    /// Lets whoever logs the next line with these words stand still, its event loop and all, until `body` is over.
    ///
    /// What happens meanwhile on several sockets, the loop then finds all at once.
    func standingStill(atLineContaining words: String, _ body: () async throws -> Void) async throws {
        let lasting = DispatchSemaphore(value: 0)
        stop.withLockedValue { $0 = (words, lasting) }
        defer { lasting.signal() }
        try await body()
    }

    private func pause(at line: String) {
        let found = stop.withLockedValue { stop -> DispatchSemaphore? in
            guard let (words, lasting) = stop, line.contains(words) else { return nil }
            stop = nil
            return lasting
        }
        _ = found?.wait(timeout: .now() + 10)
    }

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
            let line = "\(event.level) \(event.message)\(pairs)"
            log.recorded.withLockedValue { $0.append(line) }
            log.pause(at: line)
        }
    }
}
