import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux
import UnixSignals

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Share one device among many clients.",
        discussion: """
            Durations: a plain number is seconds; 500ms, 5s, 1m, 1m30s work too. A wait may be 0, a limit may not; one that \
            can be switched off says so: off.

            Signals: SIGTERM, SIGINT and SIGHUP stop accepting, finish what is in flight, fail what waits, and exit with 0. A \
            second SIGTERM or SIGINT stops at once and exits with 1; within \(StopSignals.repetition.shortText) of the first it \
            counts as the same. A further SIGHUP does nothing.
            """
    )

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

    func validate() throws {
        do {
            // A passphrase is read when it is needed.
            _ = try configuration(passphrase: nil)
        } catch let error as ConfigurationError {
            throw ValidationError(error)
        }
    }

    func run() async throws {
        let logger = log.logger
        // Before anything is served: a signal that comes early must not be lost.
        let signals = await UnixSignalsSequence(trapping: StopSignals.trapped)
        if device.givenTarget == nil {
            logger.notice(
                "sharing the default device, since none was named; give -t for another one",
                metadata: ["device": "\(device.target)"]
            )
        } else {
            logger.notice("sharing the device", metadata: ["device": "\(device.target)"])
        }
        if spoken.givenProtocol == nil {
            logger.notice("speaking echo, since no protocol was named; give -p modbus for Modbus/TCP")
        }
        if let profile = profileInForce {
            logger.notice("using the times of a device profile", metadata: profile)
        }
        let server: Server
        do {
            server = try await Server.start(try configuration(passphrase: try tls.passphrase()), logger: logger)
        } catch {
            logger.error("\(error.namingOptions)")
            throw ExitCode.failure
        }
        var stop = StopSignals()
        for await signal in signals {
            switch stop.answer(to: signal == .sighup ? .hangUp : .stop, at: .now) {
            case .drain:
                logger.notice("stopping: finishing what is in flight", metadata: ["signal": "\(signal)"])
                Task {
                    await server.drain()
                    logger.notice("stopped")
                    endProcess(EXIT_SUCCESS)
                }
                Task {
                    // Even if the event loop, which ends a drain, is stalled.
                    try await Task.sleep(for: multiplexer.drainTimeout + Self.drainGrace)
                    logger.error("stopped, though the drain has not come to its end in time")
                    endProcess(EXIT_FAILURE)
                }
            case .ignore:
                break
            case .stopAtOnce:
                logger.warning("stopped at once, without waiting for answers", metadata: ["signal": "\(signal)"])
                endProcess(EXIT_FAILURE)
            }
        }
    }

    private static let defaultListen = ListenAddress(checked: nil, port: 8000)
    private static let drainGrace = Duration.seconds(5)

    private func configuration(passphrase: String?) throws -> ServerConfiguration {
        // What the user gave is not from there.
        let profile = device.profile.map { profile in
            DeviceProfile(
                name: profile.name,
                summary: profile.summary,
                settings: profile.settings.filter { !times.isGiven($0.time) }
            )
        }
        return try ServerConfiguration(
            device: device.target,
            applicationProtocol: try spoken.deviceProtocol(),
            listeners: try listeners(passphrase: passphrase),
            profile: profile,
            multiplexer: multiplexer
        )
    }

    /// The listeners that the options ask for: a plain one in addition to that of --tls-listen only if it is asked for.
    func listeners(passphrase: String? = nil) throws -> [ListenerConfiguration] {
        let (clientProtocol, unitMap) = (try spoken.clientProtocol(), try spoken.unitMap())
        let allowList = AllowList(clients.allow)
        func listener(at address: ListenAddress?, _ tls: TLSServerConfiguration?) -> ListenerConfiguration {
            ListenerConfiguration(
                address: address ?? Self.defaultListen,
                applicationProtocol: clientProtocol,
                unitMap: unitMap,
                tls: tls,
                allowList: allowList,
                limits: limits.limits
            )
        }
        let tlsConfiguration = tls.configuration(passphrase: passphrase)
        guard let tlsListen = tls.tlsListen else {
            return [listener(at: clients.listen, tlsConfiguration)]
        }
        let plain = clients.listen.map { listener(at: $0, nil) }
        return [plain, listener(at: tlsListen, tlsConfiguration)].compactMap(\.self)
    }
}

/// `exit(3)`, whose name a command has for something else.
private func endProcess(_ status: Int32) -> Never {
    exit(status)
}
