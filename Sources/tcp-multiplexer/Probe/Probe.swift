import ArgumentParser
import SecureMux
import ServerSettings

struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Send one Modbus/TCP request as a client and show the answer, or why there is none.",
        discussion: """
            Addresses are those on the wire, from 0: what a manual numbers 40001 is often address 0 (and SunSpec's 40000 is \
            address 40000). They and values may also be given as 0x….

            Examples:

              tcp-multiplexer probe 127.0.0.1:1502 --read 40000:4
              tcp-multiplexer probe 192.168.1.5:802 --read 40000:4 \\
                --tls --ca ca.pem --certificate me.pem --key me.key

            Exit codes:

              0   answered
            \(ProbeFailure.Kind.allCases.map { "  \($0.rawValue)   \($0.summary)" }.joined(separator: "\n"))
              64  these options cannot be used
            """
    )

    @Argument(
        help: ArgumentHelp("Whom to ask: a multiplexer or a device.", valueName: "host:port"),
        transform: DeviceAddress.init(parsing:)
    )
    var address: DeviceAddress

    @OptionGroup(title: "The request (one of these)")
    var request: ProbeRequestOptions

    @OptionGroup(title: "TLS")
    var tls: ProbeTLSOptions

    @Option(
        help: ArgumentHelp(
            """
            How long each step may take: connecting, the TLS handshake, the answer. The default leaves a multiplexer the \
            time to say itself that its device is silent. (default: 15s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var timeout = Duration.seconds(15)

    func validate() throws {
        guard timeout > .zero else { throw ValidationError("--timeout must be longer than 0") }
    }

    func run() async throws {
        do {
            print(try await report())
        } catch let failure as ProbeFailure {
            StandardError.say(failure.description.escapingControls)
            throw ExitCode(failure.kind.rawValue)
        }
    }

    private func report() async throws -> ProbeReport {
        let (asked, unit) = (try request.only(), request.unit)
        let context = try tls.context(for: address, timeout: timeout)
        let exchange = ProbeExchange(address: address, tls: context, timeout: timeout)
        let response = try await exchange.response(to: asked.message(unit: unit))
        return ProbeReport(unit: unit, answer: try asked.answer(in: response, unit: unit))
    }
}

struct ProbeRequestOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The unit id, 0 to 255.", valueName: "id"))
    var unit: UInt8 = 1

    @Option(
        help: ArgumentHelp(
            "Read holding registers (function 3), 1 to 125. (default: none)",
            valueName: "address:count"
        ),
        transform: { try ProbeRequest(reading: .holdingRegisters, parsing: $0) }
    )
    var read: ProbeRequest?

    @Option(
        help: ArgumentHelp("Read input registers (function 4), 1 to 125. (default: none)", valueName: "address:count"),
        transform: { try ProbeRequest(reading: .inputRegisters, parsing: $0) }
    )
    var readInput: ProbeRequest?

    @Option(
        help: ArgumentHelp("Read coils (function 1), 1 to 2000. (default: none)", valueName: "address:count"),
        transform: { try ProbeRequest(reading: .coils, parsing: $0) }
    )
    var readCoils: ProbeRequest?

    @Option(
        help: ArgumentHelp("Read discrete inputs (function 2), 1 to 2000. (default: none)", valueName: "address:count"),
        transform: { try ProbeRequest(reading: .discreteInputs, parsing: $0) }
    )
    var readDiscrete: ProbeRequest?

    @Option(
        help: ArgumentHelp(
            """
            Write a holding register (function 6) or, with more values, several (function 16). This changes the device. \
            (default: none)
            """,
            valueName: "address=value[,value…]"
        ),
        transform: { try ProbeRequest(writing: $0) }
    )
    var write: ProbeRequest?

    func validate() throws {
        _ = try only()
    }

    /// The one request that is asked for.
    func only() throws -> ProbeRequest {
        let given = [read, readInput, readCoils, readDiscrete, write].compactMap(\.self)
        guard let request = given.first, given.count == 1 else {
            throw ValidationError(
                "give \(given.isEmpty ? "one" : "only one") of --read, --read-input, --read-coils, --read-discrete and --write"
            )
        }
        return request
    }
}
