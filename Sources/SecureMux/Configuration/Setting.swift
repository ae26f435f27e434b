/// A setting, by what it is and not by how somebody sets it; its raw value is its plain name, such as `client-ca`.
///
/// An option of a command, a key of a file and a property of ``ServerConfiguration`` may stand for the same one. Sentences name
/// settings, and whoever shows a ``Sentence`` knows what its readers call them.
public enum Setting: String, CaseIterable, Hashable, Sendable {
    // MARK: The protocol

    /// What clients and device speak.
    case applicationProtocol = "protocol"
    /// What the clients of a listener speak.
    case clientProtocol = "client-protocol"
    /// What the device speaks, where that is another form than the clients'.
    case deviceProtocol = "device-protocol"
    /// What the device calls the clients' unit ids.
    case unitMap = "unit-map"
    /// Whether the device takes requests to its unit 0 for broadcasts.
    case broadcast = "broadcast"
    /// Whether transaction ids of responses are checked or ignored.
    case transactionIDs = "transaction-ids"
    /// Whether unit ids of responses are checked or ignored.
    case unitIDs = "unit-ids"

    // MARK: The format of messages

    /// What ends each message.
    case delimiter = "delimiter"
    /// How many bytes the length before each message takes.
    case lengthBytes = "length-bytes"
    /// What the length is written with.
    case lengthFormat = "length-format"
    /// Which byte of a binary length comes first.
    case lengthOrder = "length-order"
    /// Whether the length counts itself and the header bytes too.
    case lengthIncludesHeader = "length-includes-header"
    /// How many bytes stand before the length.
    case headerBytes = "header-bytes"
    /// How many bytes each message has beyond those that the length counts.
    case lengthAdds = "length-adds"
    /// The longest message that is taken.
    case maxMessage = "max-message"

    // MARK: The device

    /// Where the device is.
    case device = "device"
    /// Where connections to the device come from.
    case source = "source"
    /// The times that are known to work with a kind of device.
    case deviceProfile = "device-profile"
    /// How many requests the device may have at a time.
    case maxInFlight = "max-in-flight"
    /// Whether equal reads share an answer.
    case coalesce = "coalesce"
    /// How old a response may be that is given again.
    case maxAge = "max-age"
    /// Whether writes go before waiting reads.
    case writePriority = "write-priority"

    // MARK: Times

    /// How long the device may take to accept the connection.
    case connectTimeout = "connect-timeout"
    /// How long the device is left alone after it accepted the connection.
    case delay = "delay"
    /// How long the device may take to answer.
    case timeout = "timeout"
    /// How long a request may take in all.
    case queueTimeout = "queue-timeout"
    /// How long the device is left alone between two requests.
    case gap = "gap"
    /// How long the device is left alone with a broadcast.
    case broadcastDelay = "broadcast-delay"
    /// After how long without a request the device's connection is closed.
    case idleClose = "idle-close"
    /// How old the device's connection may become.
    case connectionLifetime = "connection-lifetime"
    /// How long no connection is opened after one has ended.
    case settle = "settle"
    /// How long the device's connection outlasts the last client.
    case linger = "linger"
    /// How long the line must be quiet after a request that was not answered.
    case quietTime = "quiet-time"
    /// How long to wait after the first failed connection.
    case retryDelay = "retry-delay"
    /// The longest wait between two attempts to connect.
    case retryDelayMax = "retry-delay-max"
    /// How long a drain may take.
    case drainTimeout = "drain-timeout"

    // MARK: Clients

    /// Where clients connect over plain TCP.
    case listen = "listen"
    /// Where clients connect over TLS.
    case tlsListen = "tls-listen"
    /// The addresses that clients may have.
    case allow = "allow"
    /// The addresses that clients may not have.
    case deny = "deny"
    /// How many clients may be connected to a listener.
    case maxClients = "max-clients"
    /// How many of them may come from one address.
    case maxClientsPerAddress = "max-clients-per-address"
    /// How long a client may wait between its requests.
    case clientIdleTimeout = "client-idle-timeout"
    /// How long a request may take from its first byte to its last.
    case clientRequestTimeout = "client-request-timeout"
    /// How long a client may take nothing of what is written to it.
    case clientWriteTimeout = "client-write-timeout"
    /// How much memory the large messages of all clients may take.
    case messageMemory = "message-memory"

    // MARK: TLS of a listener

    /// The listener's certificate and its chain.
    case tlsCertificate = "tls-certificate"
    /// The private key of the listener's certificate.
    case tlsKey = "tls-key"
    /// The passphrase of the listener's private key.
    case tlsKeyPassphraseFile = "tls-key-passphrase-file"
    /// The oldest TLS version that clients may use.
    case tlsMinVersion = "tls-min-version"
    /// The authorities that sign client certificates.
    case clientCA = "client-ca"
    /// Whether clients show a certificate.
    case clientCertificates = "client-certificates"
    /// How long a client may take for the handshake.
    case handshakeTimeout = "handshake-timeout"

    // MARK: TLS where we connect

    /// The authorities that may sign the server's certificate.
    case ca = "ca"
    /// Our own certificate and its chain.
    case certificate = "certificate"
    /// The private key of our own certificate.
    case key = "key"
    /// The passphrase of our own private key.
    case keyPassphraseFile = "key-passphrase-file"

    // MARK: The process

    /// What is worth a line of the log.
    case logLevel = "log-level"
    /// Where the log goes.
    case logFile = "log-file"
    /// Whether files that change lead to a reload.
    case watch = "watch"
    /// Where the process takes orders from this machine.
    case control = "control"
}

extension Setting {
    /// What a sentence says that a setting is, or should be.
    public enum Value: Hashable, Sendable {
        /// A switch that is on.
        case on
        /// A switch that is off.
        case off
        /// A value as users write it, such as "ignored" or "5s".
        case text(String)
    }
}

extension Setting: CustomStringConvertible {
    /// Its plain name in quotes, such as "'client-ca'".
    public var description: String { "'\(rawValue)'" }
}
