import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux
import ServerSettings
import SimulatedDevice
import UnixSignals

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Simulate a device on a port, to try things out without touching a real one.",
        discussion: """
            modbus, modbus-rtu, modbus-serial: a SunSpec inverter, for every unit id; but on modbus-serial unit 0 is a \
            broadcast, carried out and not answered. Addresses are those on the wire, from 0.

              40000 to 40123  SunSpec models 1 and 103, read-only; a day lasts ten minutes
              0 to 999        registers and coils that keep what is written to them

            Input registers and discrete inputs read the same as holding registers and coils.

            echo, delimited, length-prefixed: each message comes back as it is. iso8583, mpu: each request comes back as \
            its own answer, MTI 0200 as 0210.

            Example: tcp-multiplexer simulate -l 1502

            A device that misbehaves, as those in the field do:

              tcp-multiplexer simulate --close-after 50 \\
                --fault late=1%:800ms --fault lost=0.5%

            Signals: SIGTERM and SIGINT close everything and exit with 0. SIGUSR1 logs what happened so far, which is also \
            logged at the end.
            """
    )

    @OptionGroup(title: "The device")
    var device: SimulatedDeviceOptions

    @OptionGroup(title: "Misbehaviour")
    var faults: FaultOptions

    @OptionGroup(title: "Message format")
    var format: FormatOptions

    func validate() throws {
        try faults.validate(for: try applicationProtocol())
    }

    func run() async throws {
        let logger = Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: .info) }
        // Before anything is served: a signal that comes early must not be lost.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sigusr1)
        let simulated = SimulatedDevice(try configuration(), logger: logger)
        do {
            let port = try await simulated.start(host: device.listen.host, port: device.listen.port)
            announce(ListenAddress(checked: device.listen.host, port: port), logger)
        } catch {
            logger.error("\(device.listen.explanation(ofFailedBind: error))")
            throw ExitCode.failure
        }
        for await signal in signals {
            guard signal == .sigusr1 else {
                logger.notice("stopping", metadata: ["signal": "\(signal)"])
                break
            }
            report(simulated.counters, logger)
        }
        await simulated.stop()
        report(simulated.counters, logger)
    }

    private func report(_ counters: SimulatedDevice.Counters, _ logger: Logger) {
        var metadata: Logger.Metadata = [
            "connections": "\(counters.accepted)",
            "refused": "\(counters.refused)",
            "most-at-once": "\(counters.maximumOpen)",
            "requests": "\(counters.requestsReceived)",
            "carried-out": "\(counters.requestsServed + counters.broadcasts)",
            "malformed": "\(counters.malformed)",
            "writes-repeated": "\(counters.writesRepeated)",
        ]
        for (fault, count) in counters.faults {
            metadata["fault-\(fault.rawValue)"] = "\(count)"
        }
        logger.notice("what happened", metadata: metadata)
    }

    private func configuration() throws -> SimulatedDevice.Configuration {
        var configuration = SimulatedDevice.Configuration()
        configuration.applicationProtocol = try applicationProtocol()
        configuration.connectionLimit = device.connections
        configuration.responseDelay = device.responseDelay
        configuration.idleTimeout = device.idleTimeout
        try faults.apply(to: &configuration)
        return configuration
    }

    /// What the device speaks.
    func applicationProtocol() throws -> ApplicationProtocol {
        var written = WrittenSettings()
        format.write(to: &written)
        let spoken: ApplicationProtocol
        do {
            spoken = try written.format().applied(to: device.givenProtocol)
        } catch {
            throw ValidationError(error)
        }
        guard spoken.name != ApplicationProtocol.http.name else {
            throw ValidationError("a simulated device does not speak http: 'python3 -m http.server' does")
        }
        return spoken
    }

    private func announce(_ address: ListenAddress, _ logger: Logger) {
        let what =
            switch device.givenProtocol.messages {
            case .modbus: "simulating a SunSpec inverter on \(device.givenProtocol.name)"
            case .iso8583: "simulating an ISO 8583 host that answers every request"
            case .opaque, .http: "simulating an echo of \(device.givenProtocol.name)"
            }
        logger.notice(
            "\(what)",
            metadata: [
                "address": "\(address)",
                "connections": device.connections == 0 ? "any number" : "\(device.connections) at a time",
                "response-delay": "\(device.responseDelay.shortText)",
                "idle-timeout": "\(device.idleTimeout?.shortText ?? "never")",
            ]
        )
    }
}
