import ArgumentParser
import MultiplexerCore
import SecureMux

struct DeviceOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("target"), .customLong("targetServer")],
        help: ArgumentHelp(
            """
            The device: name or address, and port. It gets one connection, opened when the first client comes and closed \
            when the last one leaves. (default: 127.0.0.1:1234)
            """,
            valueName: "host:port"
        ),
        transform: DeviceAddress.init(parsing:)
    )
    var target = DeviceAddress(host: "127.0.0.1", port: 1234)

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
    var timeout = Duration.seconds(5)

    @Option(
        name: .customLong("queue-timeout"),
        help: ArgumentHelp(
            """
            How long a request may take in all, waiting for its turn included; not shorter than --timeout. A request whose \
            time has run out is never sent. (default: 10s, or --timeout if that is longer)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var givenQueueTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            How long to leave the device alone after it accepted the connection. Some devices lose what comes too early: \
            1s to 2s helps with Huawei inverters. (default: 0s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var delay = Duration.zero

    @Option(
        name: [.customLong("retry-delay"), .customLong("retryDelay")],
        help: ArgumentHelp(
            """
            How long to wait after a failed connection before the next attempt. It doubles with each failure, up to 30s or \
            this value if that is longer. Meanwhile requests fail at once: a Modbus client gets exception 0x0A, an HTTP \
            client 502, and both stay; a client of a protocol without such a reply is closed. (default: 1s)
            """,
            valueName: "duration"
        ),
        transform: Duration.init(parsing:)
    )
    var retryDelay = Duration.seconds(1)

    @Option(
        help: ArgumentHelp(
            """
            How many requests the device may have at a time, 1 to 16. Most devices take one; more is for those known to \
            answer several by their transaction ids.
            """,
            valueName: "count"
        )
    )
    var maxInFlight = 1

    func validate() throws {
        guard (1...Multiplexer.Configuration.maximumInFlightLimit).contains(maxInFlight) else {
            throw ValidationError("--max-in-flight must be 1 to \(Multiplexer.Configuration.maximumInFlightLimit)")
        }
        guard timeout > .zero, queueTimeout > .zero else {
            throw ValidationError("--timeout and --queue-timeout must be longer than 0")
        }
        guard queueTimeout >= timeout else {
            throw ValidationError(
                """
                --queue-timeout \(queueTimeout.shortText) would cut short the --timeout of \(timeout.shortText): \
                give a longer one, or a shorter --timeout too
                """
            )
        }
    }

    /// A request always has the time that the device may take.
    private var queueTimeout: Duration {
        givenQueueTimeout ?? max(.seconds(10), timeout)
    }

    /// The times and limits that these options ask for.
    var multiplexer: Multiplexer.Configuration {
        Multiplexer.Configuration(
            inFlightLimit: maxInFlight,
            responseTimeout: timeout,
            queueTimeout: queueTimeout,
            delayAfterConnect: delay,
            backoff: Backoff(initial: retryDelay)
        )
    }
}
