import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux
import SimulatedDevice
import UnixSignals

struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Simulate a device on a port, to try things out without touching a real one.",
        discussion: """
            modbus, modbus-rtu, modbus-serial: a SunSpec inverter, for every unit id; but on modbus-serial unit 0 is a
            broadcast, carried out and not answered. Addresses are those on the wire, from 0.

              40000 to 40123  SunSpec models 1 and 103, read-only; a day lasts ten minutes
              0 to 999        registers and coils that keep what is written to them

            Input registers and discrete inputs read the same as holding registers and coils.

            echo: each line comes back.

            Example: tcp-multiplexer simulate -l 1502

            Signals: SIGTERM and SIGINT close everything and exit with 0.
            """
    )

    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: ArgumentHelp(
            "Where the device is to be reached: a port (all interfaces), host:port or [address]:port. (default: 127.0.0.1:1502)",
            valueName: "address"
        ),
        transform: ListenAddress.init(parsing:)
    )
    var listen = ListenAddress(host: "127.0.0.1", port: 1502)

    @Option(
        name: [.customShort("p"), .customLong("protocol")],
        help: ArgumentHelp(
            "What the device speaks: modbus, modbus-rtu, modbus-serial or echo. (default: modbus)",
            valueName: "name"
        ),
        transform: SimulatedDevice.Speech.init(protocol:)
    )
    var speech = SimulatedDevice.Speech.sunSpecInverter(.modbus)

    @Option(
        help: ArgumentHelp(
            """
            How many connections the device takes at a time; a further one is closed at once, as real inverters do. 0: any \
            number.
            """,
            valueName: "count"
        )
    )
    var connections = 1

    @Option(
        help: ArgumentHelp(
            "How long the device works on each request; the next one waits. (default: 0s)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var responseDelay = Duration.zero

    @Option(
        help: ArgumentHelp(
            "Close connections that were idle for so long, as many devices do. (default: never)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var idleTimeout: Duration?

    func validate() throws {
        guard connections >= 0 else {
            throw ValidationError("--connections must be 0 (any number) or more")
        }
        guard idleTimeout != .zero else {
            throw ValidationError("--idle-timeout must be longer than 0; leave it out to never close idle connections")
        }
    }

    func run() async throws {
        let logger = Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: .info) }
        // Before anything is served: a signal that comes early must not be lost.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let device = SimulatedDevice(configuration, logger: logger)
        do {
            let port = try await device.start(host: listen.host, port: listen.port)
            announce(ListenAddress(host: listen.host, port: port), logger)
        } catch {
            logger.error("\(listen.explanation(ofFailedBind: error))")
            throw ExitCode.failure
        }
        for await signal in signals {
            logger.notice("stopping", metadata: ["signal": "\(signal)"])
            break
        }
        await device.stop()
    }

    private var configuration: SimulatedDevice.Configuration {
        var configuration = SimulatedDevice.Configuration()
        configuration.speaks = speech
        configuration.connectionLimit = connections
        configuration.responseDelay = responseDelay
        configuration.idleTimeout = idleTimeout
        return configuration
    }

    private func announce(_ address: ListenAddress, _ logger: Logger) {
        let what =
            switch speech {
            case .sunSpecInverter(.modbus): "simulating a SunSpec inverter on Modbus/TCP, any unit id"
            case .sunSpecInverter(.modbusRTU): "simulating a SunSpec inverter on Modbus/TCP with checksum, any unit id"
            case .sunSpecInverter(.modbusSerial):
                "simulating a SunSpec inverter on Modbus RTU over TCP, any unit id but 0"
            case .lineEcho: "simulating a line echo"
            }
        logger.notice(
            "\(what)",
            metadata: [
                "address": "\(address)",
                "connections": connections == 0 ? "any number" : "\(connections) at a time",
                "response-delay": "\(responseDelay.shortText)",
                "idle-timeout": "\(idleTimeout?.shortText ?? "never")",
            ]
        )
    }
}

extension SimulatedDevice.Speech {
    /// What a device speaks when asked for a protocol by a name that the server takes.
    fileprivate init(protocol text: String) throws {
        let name = try Parse.applicationProtocol(text).name
        if let wire = SimulatedDevice.ModbusWire.allCases.first(where: { $0.applicationProtocol.name == name }) {
            self = .sunSpecInverter(wire)
        } else if name == ApplicationProtocol.echo.name {
            self = .lineEcho
        } else {
            let names = SimulatedDevice.ModbusWire.allCases.map(\.applicationProtocol.name).joined(separator: ", ")
            throw ConfigurationError("'\(text)' is not a protocol that a simulated device speaks: \(names) or echo")
        }
    }
}
