import ArgumentParser
import MultiplexerCore
import SecureMux
import SimulatedDevice

/// What a simulated device does wrong.
struct FaultOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How long after a connect the device begins to answer; requests that come earlier wait. (default: 0s)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var readyAfter = Duration.zero

    @Flag(help: "Swallow the first request of each connection.")
    var swallowFirst = false

    @Option(
        help: ArgumentHelp(
            "Close each connection without notice after so many answers. (default: never)",
            valueName: "count"
        )
    )
    var closeAfter: Int?

    @Option(
        help: ArgumentHelp(
            "How long a connection that has ended still counts against --connections. (default: 0s)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var releaseAfter = Duration.zero

    @Option(
        name: .customLong("fault"),
        help: ArgumentHelp(
            """
            What goes wrong, and how often; may be repeated. Of requests: late=1%:800ms (answered so much later, 1s if not \
            said), lost (carried out, not answered), swallow (not even carried out), duplicate, wrong-id, wrong-unit, \
            wrong-function, garbage, half (half an answer, then closed), close (carried out, then closed), unsolicited. Of \
            connections: silent, refuse. (default: nothing)
            """,
            valueName: "kind=percent%"
        ),
        transform: FaultRule.init(parsing:)
    )
    var rules: [FaultRule] = []

    @Option(
        help: ArgumentHelp(
            "Which faults come when: the same for the same number and the same order of requests.",
            valueName: "number"
        )
    )
    var seed: UInt64 = 1

    func validate() throws {
        _ = try plan()
        if let closeAfter, closeAfter < 1 {
            throw ValidationError("--close-after must be 1 or more; leave it out to never close connections")
        }
    }

    /// Refuses faults that this wire has no room for.
    func validate(for spoken: ApplicationProtocol) throws {
        for fault in rules.map(\.fault) {
            let isPossible =
                switch fault {
                case .wrongID: spoken.framing.carriesTransactionIDs
                case .wrongUnit, .wrongFunction: spoken.messages == .modbus
                default: true
                }
            guard isPossible else {
                throw ValidationError(
                    "--fault \(fault.rawValue) is of no use to \(spoken.name), which has nothing of the kind"
                )
            }
        }
    }

    /// The faults by probability.
    func plan() throws -> FaultPlan {
        do {
            return try FaultPlan(rules, seed: seed)
        } catch {
            throw ValidationError("--fault: \(error)")
        }
    }

    func apply(to configuration: inout SimulatedDevice.Configuration) throws {
        configuration.readyAfter = readyAfter
        configuration.swallowsFirstRequest = swallowFirst
        configuration.closesAfter = closeAfter
        configuration.releaseDelay = releaseAfter
        configuration.faults = try plan()
    }
}
