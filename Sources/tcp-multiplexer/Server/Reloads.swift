import Logging
import MultiplexerCore
import NIOPosix
import SecureMux
import ServerSettings

/// Reads the configuration again and has the server take it over, whoever asks for it: one time after the other.
actor Reloads {
    private let source: ConfigurationSource
    /// What options say of the process, which a file does not change.
    private let options: WrittenSettings
    private let server: Server
    private let log: ServerLog
    private let notifier: ServiceNotifier
    /// Files are read here: one on a disk that hangs must hold up nothing else.
    private let reading = NIOThreadPool(numberOfThreads: 1)

    private var watch: FileWatch
    /// Where the control socket was to be at the start.
    private let control: String?
    private var running: Task<Outcome, Never>?
    private var next: Task<Outcome, Never>?
    private var watching: Task<Void, Never>?
    private var isStopping = false
    /// What was wrong with the last one, which the watch does not say again.
    private var lastProblems: [String] = []
    /// The longest that anything that is or was served may take to stop.
    private(set) var drainTimeout: Duration

    /// How often files are looked at.
    private static let watchInterval = Duration.seconds(2)

    /// What came of a reload.
    enum Outcome: Sendable {
        /// The configuration holds; what has changed.
        case done(String)
        /// All that is wrong; nothing has changed.
        case failed([String])
    }

    /// Who asks for a reload, for the log.
    enum Cause: String, Sendable {
        case signal = "SIGHUP"
        case control = "the control socket"
        case watch = "a file that has changed"
    }

    /// Reloads of a server that was started with what was loaded, from files of which `watch` knows what they held.
    init(
        _ server: Server,
        from source: ConfigurationSource,
        options: WrittenSettings,
        loaded: ConfigurationSource.Loaded,
        watch: FileWatch,
        log: ServerLog,
        notifier: ServiceNotifier
    ) {
        (self.server, self.source, self.options) = (server, source, options)
        (self.watch, self.log, self.notifier) = (watch, log, notifier)
        drainTimeout = loaded.configuration.drainTimeout
        control = options.over(loaded.written.process)[.control]
        reading.start()
    }

    /// Reads the configuration from now on and has it hold.
    ///
    /// While a reload runs, all that are asked for are one, which comes after it.
    func reload(because cause: Cause) async -> Outcome {
        if let next { return await next.value }
        let before = running
        let task = Task {
            if let before {
                _ = await before.value
                self.beginNext()
            }
            return await self.run(cause)
        }
        if before == nil { running = task } else { next = task }
        return await task.value
    }

    /// What is asked for from now on comes too late for the one that begins.
    private func beginNext() {
        (running, next) = (next, nil)
    }

    private func run(_ cause: Cause) async -> Outcome {
        // The next one, if there is one, has not begun yet: it is joined meanwhile.
        defer { if next == nil { running = nil } }
        guard !isStopping else {
            let problem = "the server is stopping: its configuration is not read any more"
            log.logger.notice("\(problem)", metadata: ["cause": "\(cause.rawValue)"])
            return .failed([problem])
        }
        notifier.reloading()
        let outcome = await attempt(cause)
        switch outcome {
        case .done(let changes): notifier.ready("reloaded: \(changes)")
        case .failed(let problems): notifier.ready("not reloaded: \(problems.joined(separator: "; "))")
        }
        return outcome
    }

    private func attempt(_ cause: Cause) async -> Outcome {
        do {
            let loaded = try await load().get()
            let settings = options.over(loaded.written.process)
            let change = try log.change(to: settings)
            let outcome: ReloadOutcome
            do {
                outcome = try await server.reload(loaded.configuration)
            } catch {
                log.abandon(change)
                throw error
            }
            drainTimeout = max(drainTimeout, loaded.configuration.drainTimeout)
            lastProblems = []
            let changes = takeOver(settings, change)
            guard !changes.isEmpty else { return .done("\(outcome)") }
            return .done(((outcome.isEmpty ? [] : ["\(outcome)"]) + changes).joined(separator: "; "))
        } catch {
            let problems = (error as? FileProblems)?.all.map(\.description) ?? [source.names.text(error)]
            tell(problems, cause)
            return .failed(problems)
        }
    }

    private func load() async throws -> Result<ConfigurationSource.Loaded, any Error> {
        let (before, source) = (watch, source)
        let (result, after) = try await reading.runIfActive {
            var watch = before
            let result = watch.load(source)
            return (result, watch)
        }
        watch = after
        return result
    }

    private func takeOver(_ settings: WrittenSettings, _ change: ServerLog.Change) -> [String] {
        var changes = log.carryOut(change)
        let watches = settings.watchesFiles
        if watches != (watching != nil) {
            watchFiles(watches)
            changes.append("watch \(watches)")
        }
        if !changes.isEmpty {
            log.logger.notice(
                "settings of the process were reloaded",
                metadata: ["outcome": "\(changes.joined(separator: "; "))"]
            )
        }
        if settings[.control] != control {
            log.logger.warning("the control socket stays where it is", metadata: ["remedy": "restart to move it"])
        }
        return changes
    }

    private func tell(_ problems: [String], _ cause: Cause) {
        // A file that is being written is wrong for a while, each time that it is looked at.
        if cause == .watch, problems == lastProblems { return }
        lastProblems = problems
        let (logger, message) = (log.logger, "the configuration was not reloaded, and nothing has changed")
        guard problems.count > 1 else {
            let reason = problems.first ?? ""
            return logger.error("\(message)", metadata: ["cause": "\(cause.rawValue)", "reason": "\(reason)"])
        }
        logger.error("\(message)", metadata: ["cause": "\(cause.rawValue)", "problems": "\(problems.count)"])
        for problem in problems { logger.error("\(problem)") }
    }

    /// The server stops: what is asked for from now on is refused.
    func stop() {
        isStopping = true
        watchFiles(false)
    }
}

// MARK: - Files that change

extension Reloads {
    /// Begins or ceases to look at the files that the configuration is made of.
    func watchFiles(_ isOn: Bool) {
        watching?.cancel()
        watching = nil
        guard isOn else { return }
        watching = Task { [weak self] in
            while true {
                do {
                    try await Task.sleep(for: Self.watchInterval)
                } catch {
                    return
                }
                await self?.look()
            }
        }
    }

    private func look() async {
        // Whatever runs looks at them itself.
        guard running == nil else { return }
        let watch = watch
        let hasChanged = try? await reading.runIfActive { watch.hasChanged }
        if hasChanged == true, running == nil { _ = await reload(because: .watch) }
    }
}

extension WrittenSettings {
    /// Whether a change of files is to have them reloaded.
    var watchesFiles: Bool { (try? isOn(.watch)) == true }
}

extension ServerConfiguration {
    /// The longest that any of its devices may take to stop.
    var drainTimeout: Duration { devices.map(\.multiplexer.drainTimeout).max() ?? .zero }
}
