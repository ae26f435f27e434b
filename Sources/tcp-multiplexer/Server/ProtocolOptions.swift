import ArgumentParser
import MultiplexerCore
import SecureMux

/// What clients and device speak, and how it is written on the wire.
struct ProtocolOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("protocol"), .customLong("applicationProtocol")],
        help: ArgumentHelp(
            """
            What clients speak, and the device too unless --target-protocol says otherwise; 'tcp-multiplexer list' explains \
            each. (default: echo)
            """,
            valueName: "name"
        ),
        transform: Parse.applicationProtocol
    )
    var givenProtocol: ApplicationProtocol?

    @OptionGroup
    var format: FormatOptions

    @Option(
        help: ArgumentHelp(
            """
            What the device speaks, where that is another form of Modbus than the clients': modbus, modbus-serial or \
            modbus-rtu. (default: what clients speak)
            """,
            valueName: "name"
        ),
        transform: Parse.applicationProtocol
    )
    var targetProtocol: ApplicationProtocol?

    @Option(
        name: .customLong("unit-map"),
        help: ArgumentHelp(
            """
            What the device calls a unit id of the clients: 1=0, or several as 1=0,2=7. May be repeated. Responses carry the \
            id that was asked for; ids that are not named stay as they are. For Modbus. (default: none)
            """,
            valueName: "client=device"
        )
    )
    var unitMaps: [String] = []

    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            """
            Whether the device takes requests to its unit 0 for broadcasts, which it carries out and does not answer. For \
            Modbus. (default: yes if it or the clients speak modbus-serial, otherwise unit 0 is a unit like any other)
            """
        )
    )
    var broadcast: Bool?

    /// Whether what a response repeats of its request is looked at.
    enum Repetition: String, ExpressibleByArgument, CaseIterable {
        case checked
        case ignored
    }

    @Option(
        name: .customLong("transaction-ids"),
        help: ArgumentHelp(
            """
            Whether the device repeats the transaction id of a request. With ignored one request is in flight at a time, and \
            an answer is told by unit, function and content. For a device that answers with an id of its own, as the log \
            says then. For modbus and modbus-rtu. (default: checked)
            """,
            valueName: "checked|ignored"
        )
    )
    var transactionIDs: Repetition?

    @Option(
        name: .customLong("unit-ids"),
        help: ArgumentHelp(
            """
            Whether the device answers as the unit that was asked. With ignored any unit is taken, and clients get the one \
            that they asked for. For a device that always answers as unit 1 or 0, as the log says then. For Modbus. (default: \
            checked)
            """,
            valueName: "checked|ignored"
        )
    )
    var unitIDs: Repetition?

    func validate() throws {
        _ = try deviceProtocol()
        _ = try unitMap()
    }

    /// What clients speak, with the settings that were given; echo when none is named, as in the Go program.
    func clientProtocol() throws -> ApplicationProtocol {
        let clients = try format.applied(to: givenProtocol ?? .echo)
        return broadcast.map(clients.broadcasting(unit0:)) ?? clients
    }

    /// What the device speaks.
    func deviceProtocol() throws -> ApplicationProtocol {
        let clients = try clientProtocol()
        let device = targetProtocol.map { $0.name == clients.name ? clients : $0 } ?? clients
        do {
            return try device.adapted(
                broadcast: broadcast,
                ignoresUnitIDs: unitIDs.map { $0 == .ignored },
                ignoresTransactionIDs: transactionIDs.map { $0 == .ignored }
            )
        } catch {
            throw ValidationError(error)
        }
    }

    /// What the device calls the clients' unit ids.
    func unitMap() throws -> UnitMap {
        guard !unitMaps.isEmpty else { return UnitMap() }
        let clients = try clientProtocol()
        do {
            try clients.requireModbus(for: "\(.unitMap)")
        } catch {
            throw ValidationError(error)
        }
        do {
            return try UnitMap(parsing: unitMaps.joined(separator: ","))
        } catch {
            throw ValidationError("--unit-map: \(error)")
        }
    }
}
