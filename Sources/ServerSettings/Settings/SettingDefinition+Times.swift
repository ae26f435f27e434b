import SecureMux

/// Every clock of the device's side, in the order of a connection's life.
extension SettingDefinition {
    package static let times = [
        time(
            .connectTimeout,
            .duration,
            """
            How long the device may take to accept the connection, looking up its name and trying its addresses included.
            """,
            default: .value("5s")
        ),
        time(
            .delay,
            .duration,
            """
            How long to leave the device alone after it accepted the connection. Some devices lose what comes too early: \
            1s to 2s helps with Huawei inverters. Others close a connection on which nothing is said; then a new one is \
            opened, and no request fails.
            """,
            default: .value("0s")
        ),
        time(
            .timeout,
            .duration,
            """
            How long the device may take to answer a request, from sending it to the end of the answer. Then the request \
            fails: a Modbus client gets exception 0x0B, an HTTP client 504, and both stay; a client of a protocol without \
            such a reply is closed.
            """,
            default: .value("5s")
        ),
        time(
            .queueTimeout,
            .duration,
            """
            How long a request may take in all, waiting for its turn included; not shorter than \(.timeout). A request whose \
            time has run out is never sent.
            """,
            default: .words("10s, or \(.timeout) if that is longer")
        ),
        time(
            .gap,
            .duration,
            """
            How long to leave the device alone between its last message and the next request, and after each failure; it \
            counts across connections. It slows all clients down; some devices drop requests or restart without it.
            """,
            default: .value("0s")
        ),
        time(
            .broadcastDelay,
            .duration,
            "How long to leave the device alone with a broadcast, which it carries out and does not answer.",
            default: .value("100ms")
        ),
        time(
            .idleClose,
            .limit,
            """
            Close the device's connection when nobody has asked anything for this long; the next request opens it again. \
            For devices that would close it themselves, just when the next request is on its way.
            """,
            default: .value("off")
        ),
        time(
            .connectionLifetime,
            .limit,
            """
            How old the device's connection may become. It is renewed between two requests, in the last quarter of this \
            time as soon as nobody waits. For devices that close old connections.
            """,
            default: .value("off")
        ),
        time(
            .settle,
            .duration,
            """
            How long to wait after the end of a connection to the device before the next one is opened. Some devices still \
            count the old one for a while, and refuse the new one; without this, how long is found out.
            """,
            default: .value("0s")
        ),
        time(
            .linger,
            .duration,
            """
            How long the device's connection outlasts the last client that asked anything. Clients that connect for each \
            request then do not pay for a new connection and \(.delay) each time. Meanwhile nobody else can have the device.
            """,
            default: .value("5s")
        ),
        time(
            .quietTime,
            .duration,
            """
            How long the device's line must be quiet before the next request, where a request was not answered and nothing \
            on the wire tells a late answer from the next one. What comes meanwhile is nobody's. For protocols without \
            transaction ids.
            """,
            default: .words("1s for modbus-serial, 0s for http, 100ms for others")
        ),
        time(
            .retryDelay,
            .duration,
            """
            How long to wait after a failed connection before the next attempt. It doubles with each failure, up to \
            \(.retryDelayMax), and varies by 20 % either way. Meanwhile requests fail at once: a Modbus client gets \
            exception 0x0A, an HTTP client 502, and both stay; a client of a protocol without such a reply is closed.
            """,
            default: .words("1s, or \(.retryDelayMax) if that is shorter")
        ),
        time(
            .retryDelayMax,
            .duration,
            """
            The longest wait between two attempts to connect, and so how long a device that is back can stay unnoticed.
            """,
            default: .words("30s, or \(.retryDelay) if that is longer")
        ),
        time(
            .drainTimeout,
            .duration,
            "How long stopping may take: what is not answered by then fails, and clients are cut off 2s later.",
            default: .value("10s")
        ),
    ]

    private static func time(
        _ setting: Setting,
        _ value: SettingValue,
        _ summary: Sentence,
        default standard: Standard
    ) -> SettingDefinition {
        SettingDefinition(setting, of: .device, value, summary, default: standard, reload: .inPlace)
    }
}
