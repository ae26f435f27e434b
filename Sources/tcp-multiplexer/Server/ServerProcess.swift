import ArgumentParser
import Foundation
import Logging
import MultiplexerCore
import SecureMux
import ServerSettings
import UnixSignals

/// A server from its start to its end, with all that a process has to do with: its configuration, its log, signals.
struct ServerProcess {
    private let source: ConfigurationSource
    /// What options say of the process, which a file does not change.
    private let process: WrittenSettings

    /// A process that has its configuration from `source`.
    init(_ source: ConfigurationSource, process: WrittenSettings) {
        (self.source, self.process) = (source, process)
    }

    /// Serves until a signal ends it.
    func run() async throws {
        // Before anything is served: a signal that comes early must not be lost.
        let signals = await UnixSignalsSequence(trapping: StopSignals.trapped)
        let (loaded, watch, log) = try load()
        introduce(loaded.written, log.logger)
        let running = try await start(loaded, watch, log)
        var stop = StopSignals()
        for await signal in signals {
            switch signal {
            case .sigusr1:
                log.reopen()
            case .sighup:
                Task { await running.reloads.reload(because: .signal) }
            default:
                switch stop.answer(at: .now) {
                case .drain:
                    log.logger.notice("stopping: finishing what is in flight", metadata: ["signal": "\(signal)"])
                    drain(running, log.logger)
                case .ignore:
                    break
                case .stopAtOnce:
                    log.logger.warning(
                        "stopped at once, without waiting for answers",
                        metadata: ["signal": "\(signal)"]
                    )
                    running.end(EXIT_FAILURE)
                }
            }
        }
    }

    /// Reads the configuration and opens the log; says what is wrong where that cannot be done.
    private func load() throws -> (ConfigurationSource.Loaded, FileWatch, ServerLog) {
        do {
            var watch = FileWatch(SourceFiles())
            let loaded = try watch.load(source).get()
            return (loaded, watch, try ServerLog(process.over(loaded.written.process), names: source.names))
        } catch {
            StandardError.say(source.names.text(error))
            throw ExitCode.failure
        }
    }

    /// A server that serves, and what belongs to it.
    private struct Running {
        let server: Server
        let reloads: Reloads
        let control: ControlSocket?
        let notifier: ServiceNotifier

        /// Ends the process.
        func end(_ status: Int32) -> Never {
            control?.remove()
            endProcess(status)
        }
    }

    private func start(
        _ loaded: ConfigurationSource.Loaded,
        _ watch: FileWatch,
        _ log: ServerLog
    ) async throws -> Running {
        let environment = ProcessInfo.processInfo.environment
        let settings = process.over(loaded.written.process)
        let notifier = ServiceNotifier(environment: environment, logger: log.logger)
        do {
            let server = try await Server.start(loaded.configuration, logger: log.logger)
            let reloads = Reloads(
                server,
                from: source,
                options: process,
                loaded: loaded,
                watch: watch,
                log: log,
                notifier: notifier
            )
            let commands = ControlCommands(server, reloads: reloads)
            let path = ControlPath(settings, environment: environment)
            let control = try await openControl(path, commands, log.logger)
            if settings.watchesFiles { await reloads.watchFiles(true) }
            notifier.ready("sharing \(server.deviceNames.joined(separator: ", "))")
            _ = notifier.feedWatchdog { !server.health.isStalled }
            return Running(server: server, reloads: reloads, control: control, notifier: notifier)
        } catch {
            log.logger.error("\(source.names.text(error))")
            throw ExitCode.failure
        }
    }

    /// Opens the control socket; where nobody has asked for it, there need be none.
    private func openControl(
        _ path: ControlPath?,
        _ commands: ControlCommands,
        _ logger: Logger
    ) async throws(ControlSocketError) -> ControlSocket? {
        guard let path else { return nil }
        do {
            return try await ControlSocket.open(at: path.path, logger: logger) { await commands.answer($0) }
        } catch  where !path.isWritten {
            logger.notice(
                "'tcp-multiplexer reload' will not reach this server",
                metadata: [
                    "reason": "\(error)",
                    "remedy": .stringConvertible("name a socket of its own with \(.control)" as Sentence),
                ]
            )
            return nil
        }
    }

    private func drain(_ running: Running, _ logger: Logger) {
        running.notifier.stopping()
        Task {
            await running.reloads.stop()
            await running.server.drain()
            logger.notice("stopped")
            running.end(EXIT_SUCCESS)
        }
        Task {
            // Even if the event loop, which ends a drain, is stalled.
            try await Task.sleep(for: await running.reloads.drainTimeout + Self.drainGrace)
            logger.error("stopped, though the drain has not come to its end in time")
            running.end(EXIT_FAILURE)
        }
    }

    private static let drainGrace = Duration.seconds(5)
}

// MARK: - The first lines of the log

extension ServerProcess {
    /// Says what is shared, and what may not be meant.
    private func introduce(_ written: WrittenServer, _ logger: Logger) {
        for device in written.devices {
            let target = device.settings[.device]
            let name = device.name.map { ["name": "\($0)"] as Logger.Metadata } ?? [:]
            if target == nil {
                logger.notice(
                    "sharing the default device, since none was named; give -t for another one",
                    metadata: ["device": "\((try? device.target())?.description ?? "")"]
                )
            } else {
                logger.notice("sharing the device", metadata: ["device": "\(target ?? "")"].merging(name) { $1 })
            }
            if device.settings[.applicationProtocol] == nil {
                logger.notice("speaking echo, since no protocol was named; give -p modbus for Modbus/TCP")
            }
            if let profile = device.profileInForce(source.names) {
                logger.notice("using the times of a device profile", metadata: profile.merging(name) { $1 })
            }
        }
    }
}

extension WrittenDevice {
    /// What the profile leads to, for the log; nil without one.
    func profileInForce(_ names: SettingNames) -> Logger.Metadata? {
        guard let profile = try? settings.profile(), let configuration = try? settings.multiplexer() else { return nil }
        let settings = profile.settings.map { setting in
            let value = configuration[setting.time]?.shortText ?? "off"
            return names.text(setting.time.setting, value) + (self.settings.has(setting.time.setting) ? " (given)" : "")
        }
        return [
            "profile": "\(profile.name)",
            "settings": settings.isEmpty ? "the defaults" : "\(settings.joined(separator: ", "))",
        ]
    }
}

/// `exit(3)`, whose name a command has for something else.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
