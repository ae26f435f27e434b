import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux
import ServerSettings
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

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
        let (loaded, output, logger) = try start()
        introduce(loaded.written, logger)
        let server: Server
        do {
            server = try await Server.start(loaded.configuration, logger: logger)
        } catch {
            logger.error("\(source.names.text(error))")
            throw ExitCode.failure
        }
        var stop = StopSignals()
        for await signal in signals {
            switch signal {
            case .sigusr1:
                reopen(output, logger)
            case .sighup:
                break
            default:
                switch stop.answer(at: .now) {
                case .drain:
                    logger.notice("stopping: finishing what is in flight", metadata: ["signal": "\(signal)"])
                    drain(server, within: loaded.configuration.drainTimeout, logger)
                case .ignore:
                    break
                case .stopAtOnce:
                    logger.warning("stopped at once, without waiting for answers", metadata: ["signal": "\(signal)"])
                    endProcess(EXIT_FAILURE)
                }
            }
        }
    }

    /// Reads the configuration and opens the log; says what is wrong where that cannot be done.
    private func start() throws -> (ConfigurationSource.Loaded, LogOutput, Logger) {
        do {
            let loaded = try source.load()
            let settings = process.over(loaded.written.process)
            let output = try settings[.logFile].map { try LogOutput(file: $0) } ?? .standardError
            let level = try settings.value(.logLevel, Parse.logLevel) ?? .notice
            let names = source.names
            let logger = Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: level, names: names, to: output)
            }
            return (loaded, output, logger)
        } catch {
            StandardError.say(source.names.text(error))
            throw ExitCode.failure
        }
    }

    private func reopen(_ output: LogOutput, _ logger: Logger) {
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

    private func drain(_ server: Server, within limit: Duration, _ logger: Logger) {
        Task {
            await server.drain()
            logger.notice("stopped")
            endProcess(EXIT_SUCCESS)
        }
        Task {
            // Even if the event loop, which ends a drain, is stalled.
            try await Task.sleep(for: limit + Self.drainGrace)
            logger.error("stopped, though the drain has not come to its end in time")
            endProcess(EXIT_FAILURE)
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

extension ServerConfiguration {
    /// The longest that any of its devices may take to stop.
    fileprivate var drainTimeout: Duration { devices.map(\.multiplexer.drainTimeout).max() ?? .zero }
}

/// `exit(3)`, whose name a command has for something else.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
