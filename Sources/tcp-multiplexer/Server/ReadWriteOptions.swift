import ArgumentParser
import MultiplexerCore
import SecureMux

/// Which requests may share an answer, and which go first.
struct ReadWriteOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            """
            Ask the device for each read by itself. Otherwise equal reads of several clients that wait at the same time are \
            answered by one: same unit, function (1 to 4), address and quantity, and no write to the unit between them. For \
            a device whose reads have side effects, such as a counter that is reset by reading it. For Modbus. (default: \
            equal reads share an answer)
            """
        )
    )
    var noCoalesce = false

    @Option(
        help: ArgumentHelp(
            """
            Answer a read with the device's response to an equal one, if that came no longer ago than this; or with one that \
            is on its way already. A write through this program to the same unit ends that at once. What the device or other \
            programs change meanwhile is seen so much later. Never for exceptions. For Modbus. (default: none, each answer is \
            read from the device after the request has come)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var maxAge: Duration?

    @Flag(
        help: ArgumentHelp(
            """
            Writes go before the waiting reads of other clients, never before an earlier request of the same client. While \
            both wait they take turns, so that many writes slow reads down and do not stop them. For Modbus and HTTP. \
            (default: off, clients are served in turn whatever they ask)
            """
        )
    )
    var writePriority = false

    /// What is older than this says little about a device; and a plain number is seconds, where many mean milliseconds.
    static let longestAge = Duration.seconds(300)

    func validate() throws {
        guard let maxAge else { return }
        guard maxAge > .zero else {
            throw ValidationError(
                "--max-age must be longer than 0: leave it out, and each answer is read after the request has come"
            )
        }
        guard maxAge <= Self.longestAge else {
            throw ValidationError(
                """
                --max-age \(maxAge.shortText) is longer than \(Self.longestAge.shortText): for so long nobody would see what \
                the device measures; a plain number is seconds, write ms behind milliseconds
                """
            )
        }
        guard !noCoalesce else {
            throw ValidationError(
                "--no-coalesce asks the device for each read, --max-age \(maxAge.shortText) does not: leave one of them out"
            )
        }
    }

    /// Refuses what makes no difference to a protocol: whoever gives it expects one.
    func validate(for spoken: ApplicationProtocol) throws {
        let forModbus = [("--no-coalesce", noCoalesce), ("--max-age", maxAge != nil)]
        if let given = forModbus.first(where: \.1), spoken.messages != .modbus {
            throw ValidationError(
                """
                \(given.0) is of no use to \(spoken.name), where no requests share an answer: leave it out, or choose a form of \
                Modbus with -p
                """
            )
        }
        guard writePriority else { return }
        switch spoken.messages {
        case .modbus, .http:
            break
        case .iso8583, .opaque:
            throw ValidationError(
                """
                --write-priority is of no use to \(spoken.name), where any request may be a write: leave it out, or choose a \
                form of Modbus or http with -p
                """
            )
        }
    }

    /// Sets what was given.
    func apply(to configuration: inout Multiplexer.Configuration) {
        configuration.sharesReads = !noCoalesce
        configuration.maximumResponseAge = maxAge
        configuration.sendsWritesFirst = writePriority
    }
}
