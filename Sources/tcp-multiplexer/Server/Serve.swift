import ArgumentParser
import Foundation
import SecureMux
import ServerSettings

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Share devices among many clients: one, as the options say, or those of a configuration file.",
        discussion: """
            Durations: a plain number is seconds; 500ms, 5s, 1m, 1m30s work too. A wait may be 0, a limit may not; one that \
            can be switched off says so: off.

            Signals: SIGHUP reads the configuration and the TLS files again. SIGUSR1 opens the log file anew. SIGTERM and \
            SIGINT stop accepting, finish what is in flight, fail what waits, and exit with 0. A second SIGTERM or SIGINT \
            stops at once and exits with 1; within \(StopSignals.repetition.shortText) of the first it counts as the same.
            """
    )

    @Option(
        help: ArgumentHelp(
            """
            A file that says it all, several devices too; options for devices and clients are of no use beside it. \
            'tcp-multiplexer config example' prints one. (default: none, the options say it)
            """,
            valueName: "file"
        )
    )
    var config: String?

    @OptionGroup(title: "The protocol")
    var spoken: ProtocolOptions

    @OptionGroup(title: "The device")
    var device: DeviceOptions

    @OptionGroup(title: "Reads and writes")
    var readsAndWrites: ReadWriteOptions

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Clients")
    var clients: ClientOptions

    @OptionGroup(title: "Limits")
    var limits: ClientLimitOptions

    @OptionGroup(title: "TLS")
    var tls: TLSOptions

    @OptionGroup(title: "Log")
    var log: LogOptions

    @OptionGroup(title: "Service")
    var service: ServiceOptions

    func validate() throws {
        guard config == nil else {
            guard let option = writtenDevice.firstSetting?.option else { return }
            throw ValidationError(
                "\(option) is of no use beside --config: write it into the file, or leave --config out"
            )
        }
        do {
            // A passphrase is read when it is needed.
            _ = try written.configuration(readsSecrets: false)
        } catch {
            throw ValidationError(error)
        }
    }

    func run() async throws {
        try await ServerProcess(source, process: writtenProcess).run()
    }
}

// MARK: - What the options say

extension Serve {
    /// Where the configuration is.
    var source: ConfigurationSource {
        if let config {
            .file(config, environment: ProcessInfo.processInfo.environment)
        } else {
            .options(written)
        }
    }

    /// All that the options say.
    var written: WrittenServer { WrittenServer(process: writtenProcess, devices: [writtenDevice]) }

    private var writtenProcess: WrittenSettings {
        var settings = WrittenSettings()
        log.write(to: &settings)
        service.write(to: &settings)
        return settings
    }

    var writtenDevice: WrittenDevice {
        var settings = WrittenSettings()
        spoken.write(to: &settings)
        device.write(to: &settings)
        readsAndWrites.write(to: &settings)
        times.write(to: &settings)
        return WrittenDevice(settings: settings, listeners: writtenListeners)
    }

    /// The listeners that the options ask for: a plain one in addition to that of --tls-listen only if it is asked for.
    private var writtenListeners: [WrittenSettings] {
        var plain = WrittenSettings()
        spoken.write(toListener: &plain)
        clients.write(toListener: &plain)
        limits.write(to: &plain)
        var secure = plain
        tls.write(toListener: &secure)
        plain[.listen] = clients.listen
        secure[.listen] = tls.tlsListen ?? clients.listen
        return tls.tlsListen != nil && clients.listen != nil ? [plain, secure] : [secure]
    }
}

extension WrittenDevice {
    /// One of the settings that are written, the same each time.
    fileprivate var firstSetting: Setting? {
        let all = ([settings] + listeners).reduce(into: Set<Setting>()) { $0.formUnion($1.texts.keys) }
        return Setting.allCases.first(where: all.contains)
    }
}
