import ArgumentParser
import SecureMux

/// The limits that each listener sets its clients.
struct ClientLimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            How many clients may be connected to a listener at a time. When there are more, those go first who never sent a \
            request. (default: \(ClientLimits().clients))
            """,
            valueName: "count"
        )
    )
    var maxClients: Int?

    @Option(
        help: ArgumentHelp(
            """
            How many of them may come from one address; behind a proxy or NAT all have the same. (default: \
            \(ClientLimits().clientsPerAddress), or --max-clients if that is less)
            """,
            valueName: "count"
        )
    )
    var maxClientsPerAddress: Int?

    @Option(
        help: ArgumentHelp(
            """
            Close clients that have asked nothing for this long. Clients that poll less often than that are closed between \
            two requests. (default: off)
            """,
            valueName: "duration|off"
        ),
        transform: TimeLimit.init(parsing:)
    )
    var clientIdleTimeout: TimeLimit?

    @Option(
        help: ArgumentHelp(
            "How long a client may take to send a request, from its first byte to its last. (default: 60s)",
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var clientRequestTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long a client may take nothing of what is written to it, counted from when the writing starts; then it is \
            closed. (default: 30s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var clientWriteTimeout: Duration?

    @Option(
        name: .customLong("message-memory"),
        help: ArgumentHelp(
            """
            How much memory the large messages of all clients of a listener may take together: requests and responses not \
            yet taken, where they are more than 32 KiB. When that is used up, the client that holds the most is closed. \
            (default: 256M)
            """,
            valueName: "size"
        ),
        transform: Int.init(parsingSize:)
    )
    var messageMemory: Int?

    /// The limits that these options ask for.
    var limits: ClientLimits {
        let defaults = ClientLimits()
        return ClientLimits(
            clients: maxClients ?? defaults.clients,
            clientsPerAddress: maxClientsPerAddress,
            idleTimeout: clientIdleTimeout?.duration,
            requestTimeout: clientRequestTimeout ?? defaults.requestTimeout,
            writeTimeout: clientWriteTimeout ?? defaults.writeTimeout,
            messageMemory: messageMemory ?? defaults.messageMemory
        )
    }
}
