import ArgumentParser
import MultiplexerCore
import SecureMux

/// Every clock of the device's side, in the order of a connection's life; nil where the option is not given.
struct TimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            How long the device may take to accept the connection, looking up its name and trying its addresses included. \
            (default: 5s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var connectTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long to leave the device alone after it accepted the connection. Some devices lose what comes too early: \
            1s to 2s helps with Huawei inverters. Others close a connection on which nothing is said; then a new one is \
            opened, and no request fails. (default: 0s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var delay: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long the device may take to answer a request, from sending it to the end of the answer. Then the request \
            fails: a Modbus client gets exception 0x0B, an HTTP client 504, and both stay; a client of a protocol without \
            such a reply is closed. (default: 5s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var timeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long a request may take in all, waiting for its turn included; not shorter than --timeout. A request whose \
            time has run out is never sent. (default: 10s, or --timeout if that is longer)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var queueTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long to leave the device alone between its last message and the next request, and after each failure; it \
            counts across connections. It slows all clients down; some devices drop requests or restart without it. \
            (default: 0s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var gap: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long to leave the device alone with a broadcast, which it carries out and does not answer. (default: 100ms)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var broadcastDelay: Duration?

    @Option(
        help: ArgumentHelp(
            """
            Close the device's connection when nobody has asked anything for this long; the next request opens it again. \
            For devices that would close it themselves, just when the next request is on its way. (default: off)
            """,
            valueName: "duration|off"
        ),
        transform: TimeLimit.init(parsing:)
    )
    var idleClose: TimeLimit?

    @Option(
        help: ArgumentHelp(
            """
            How old the device's connection may become. It is renewed between two requests, in the last quarter of this \
            time as soon as nobody waits. For devices that close old connections. (default: off)
            """,
            valueName: "duration|off"
        ),
        transform: TimeLimit.init(parsing:)
    )
    var connectionLifetime: TimeLimit?

    @Option(
        help: ArgumentHelp(
            """
            How long to wait after the end of a connection to the device before the next one is opened. Some devices still \
            count the old one for a while, and refuse the new one; without this, how long is found out. (default: 0s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var settle: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long the device's connection outlasts the last client that asked anything. Clients that connect for each request then do not pay \
            for a new connection and --delay each time. Meanwhile nobody else can have the device. (default: 5s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var linger: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long the device's line must be quiet before the next request, where a request was not answered and nothing \
            on the wire tells a late answer from the next one. What comes meanwhile is nobody's. For protocols without \
            transaction ids. (default: 1s for modbus-serial, 0s for http, 100ms for others)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var quietTime: Duration?

    @Option(
        name: [.customLong("retry-delay"), .customLong("retryDelay")],
        help: ArgumentHelp(
            """
            How long to wait after a failed connection before the next attempt. It doubles with each failure, up to \
            --retry-delay-max, and varies by 20 % either way. Meanwhile requests fail at once: a Modbus client gets \
            exception 0x0A, an HTTP client 502, and both stay; a client of a protocol without such a reply is closed. \
            (default: 1s, or --retry-delay-max if that is shorter)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var retryDelay: Duration?

    @Option(
        help: ArgumentHelp(
            """
            The longest wait between two attempts to connect, and so how long a device that is back can stay unnoticed. \
            (default: 30s, or --retry-delay if that is longer)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var retryDelayMax: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long stopping may take: what is not answered by then fails, and clients are cut off 2s later. (default: 10s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var drainTimeout: Duration?

    /// Sets what was given, and what follows from it.
    func apply(to configuration: inout Multiplexer.Configuration) {
        let defaults = Multiplexer.Configuration()
        configuration.connectTimeout = connectTimeout ?? configuration.connectTimeout
        configuration.delayAfterConnect = delay ?? configuration.delayAfterConnect
        configuration.responseTimeout = timeout ?? configuration.responseTimeout
        // A request always has the time that the device may take.
        configuration.queueTimeout = queueTimeout ?? max(defaults.queueTimeout, configuration.responseTimeout)
        configuration.minimumGap = gap ?? configuration.minimumGap
        configuration.broadcastDelay = broadcastDelay ?? configuration.broadcastDelay
        if let idleClose { configuration.idleClose = idleClose.duration }
        if let connectionLifetime { configuration.connectionLifetime = connectionLifetime.duration }
        configuration.settleTime = settle ?? configuration.settleTime
        configuration.quietTime = quietTime ?? configuration.quietTime
        configuration.linger = linger ?? configuration.linger
        let initial = retryDelay ?? min(defaults.backoff.initial, retryDelayMax ?? defaults.backoff.initial)
        configuration.backoff = Backoff(initial: initial, maximum: defaults.backoff.maximum)
        // Not raised to the first wait: that the two contradict each other is to be said.
        if let retryDelayMax { configuration.backoff.maximum = retryDelayMax }
        configuration.drainTimeout = drainTimeout ?? configuration.drainTimeout
    }

    /// Whether the user gave what a profile can set too, and so overruled a profile.
    func isGiven(_ time: DeviceProfile.Time) -> Bool {
        switch time {
        case .responseTimeout: timeout != nil
        case .delayAfterConnect: delay != nil
        case .minimumGap: gap != nil
        case .settleTime: settle != nil
        case .idleClose: idleClose != nil
        case .connectionLifetime: connectionLifetime != nil
        }
    }
}
