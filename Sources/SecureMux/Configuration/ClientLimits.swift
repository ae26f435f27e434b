/// The limits that a listener sets its clients.
public struct ClientLimits: Hashable, Sendable {
    /// How many clients may be connected at a time; when there are more, those go first who never said anything.
    public var clients: Int
    /// How many of them may come from one address.
    public var clientsPerAddress: Int
    /// How long a client may wait between its requests; nil for as long as it likes.
    public var idleTimeout: Duration?
    /// How long a request may take from its first byte to its last.
    public var requestTimeout: Duration
    /// How long a client may take nothing of what is written to it, from the moment the writing starts.
    public var writeTimeout: Duration
    /// How much memory the large messages of all clients together may take, in bytes.
    ///
    /// Requests count from their first byte to their answer, responses until the client has taken them; both only as far as
    /// they take more than 32 KiB of one client. When it is used up, the client goes whose messages take the most, of the
    /// address that has the most.
    public var messageMemory: Int

    /// The defaults that the command documents; `clientsPerAddress` is 1024, or as many as `clients` if that is less.
    public init(
        clients: Int = 4096,
        clientsPerAddress: Int? = nil,
        idleTimeout: Duration? = nil,
        requestTimeout: Duration = .seconds(60),
        writeTimeout: Duration = .seconds(30),
        messageMemory: Int = 256 << 20
    ) {
        self.clients = clients
        self.clientsPerAddress = clientsPerAddress ?? min(1024, clients)
        self.idleTimeout = idleTimeout
        self.requestTimeout = requestTimeout
        self.writeTimeout = writeTimeout
        self.messageMemory = messageMemory
    }
}

extension ClientLimits {
    /// Refuses limits under which no client could do anything.
    func check(_ problems: inout ConfigurationProblems) {
        problems.refuse(
            "\(.messageMemory) must be at least 1M, or single messages would not fit",
            if: messageMemory < 1 << 20
        )
        problems.refuse("\(.maxClients) must be at least 1", if: clients < 1)
        problems.refuse("\(.maxClientsPerAddress) must be at least 1", if: clients >= 1 && clientsPerAddress < 1)
        problems.checkLimits(
            (.clientRequestTimeout, requestTimeout),
            (.clientWriteTimeout, writeTimeout),
            (.clientIdleTimeout, idleTimeout)
        )
        problems.check(try checkShare())
    }

    private func checkShare() throws(ConfigurationError) {
        guard clientsPerAddress <= clients else {
            throw ConfigurationError(
                """
                \(.maxClientsPerAddress, "\(clientsPerAddress)") is more than \(.maxClients) allows in all, \(clients): give a \
                smaller one, or a larger \(.maxClients)
                """
            )
        }
    }
}
