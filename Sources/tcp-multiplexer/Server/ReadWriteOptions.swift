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

    /// Sets what was given.
    func apply(to configuration: inout Multiplexer.Configuration) {
        configuration.sharesReads = !noCoalesce
        configuration.maximumResponseAge = maxAge
        configuration.sendsWritesFirst = writePriority
    }
}
