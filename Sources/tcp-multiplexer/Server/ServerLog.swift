import Logging
import SecureMux
import ServerSettings

/// The log of a server's process, whose level and file a reload may replace.
struct ServerLog: Sendable {
    let logger: Logger
    private let output: LogOutput
    private let threshold: LogThreshold

    /// The log that settings ask for, for readers who know settings by `names`.
    ///
    /// - Throws: ``LogFileError`` when its file cannot be opened.
    init(_ settings: WrittenSettings, names: SettingNames) throws {
        let (output, threshold) = (try LogOutput(file: settings[.logFile]), LogThreshold(try Self.level(settings)))
        (self.output, self.threshold) = (output, threshold)
        logger = Logger(label: "tcp-multiplexer") { _ in
            LineLogHandler(threshold: threshold, names: names, to: output)
        }
    }

    /// Opens the file anew, for those who have moved it away.
    func reopen() {
        do {
            try output.reopen()
            logger.notice("the log goes on", metadata: ["signal": "SIGUSR1"])
        } catch {
            logger.error(
                "\(error)",
                metadata: ["remedy": "the old file is written on; make room or rights, and try again"]
            )
        }
    }

    private static func level(_ settings: WrittenSettings) throws -> Logger.Level {
        try settings.value(.logLevel, Parse.logLevel) ?? .notice
    }
}

// MARK: - Other settings

extension ServerLog {
    /// Another level or file that the log can have.
    ///
    /// What can fail has been done. To be carried out or abandoned.
    struct Change {
        fileprivate let level: Logger.Level?
        fileprivate let place: LogOutput.Place?
    }

    /// Prepares what settings ask for.
    ///
    /// - Throws: ``LogFileError`` when the file cannot be opened; then nothing has changed.
    func change(to settings: WrittenSettings) throws -> Change {
        let level = try Self.level(settings)
        let file = settings[.logFile]
        return Change(
            level: level == threshold.level ? nil : level,
            place: file == output.file ? nil : try LogOutput.Place(file: file)
        )
    }

    /// Carries a change out.
    ///
    /// - Returns: What has become another, in words.
    func carryOut(_ change: Change) -> [String] {
        var changes: [String] = []
        if let place = change.place {
            // Whoever reads the old one should know where it goes on.
            let name = place.file ?? "standard error"
            logger.notice("the log goes on elsewhere", metadata: ["file": "\(name)"])
            output.move(to: place)
            changes.append("log.file \(name)")
        }
        if let level = change.level {
            threshold.level = level
            changes.append("log.level \(level)")
        }
        return changes
    }

    /// Leaves everything as it is.
    func abandon(_ change: Change) { change.place?.close() }
}
