import SecureMux

/// Where clients connect, who may, and how much.
extension SettingDefinition {
    package static let clients = [
        SettingDefinition(
            .listen,
            of: .listener,
            key: "address",
            .listenAddress,
            """
            Where clients connect: a port (all interfaces), host:port or [address]:port. It speaks TLS if a certificate is \
            given and \(.tlsListen) is not, else plain TCP.
            """,
            default: .required("8000; none with \(.tlsListen)"),
            reload: .listener
        ),
        SettingDefinition(
            .clientProtocol,
            of: .listener,
            key: "protocol",
            .applicationProtocol,
            "What the clients of this listener speak, where that is another form of Modbus than the device's.",
            default: .words("what the device speaks"),
            reload: .listener
        ),
        SettingDefinition(
            .unitMap,
            of: .listener,
            .list(of: .unitMap),
            """
            What the device calls a unit id of the clients: 1=0, or several as 1=0,2=7. There may be several. Responses carry the \
            id that was asked for; ids that are not named stay as they are. For Modbus.
            """,
            default: .words("none"),
            reload: .listener
        ),
        SettingDefinition(
            .allow,
            of: .listener,
            .list(of: .block),
            """
            Which addresses clients may come from: 192.168.1.0/24, fd00::/8, 192.168.1.7. There may be several. Others are \
            closed before a byte of theirs is read.
            """,
            default: .words("everyone"),
            reload: .inPlace
        ),
        SettingDefinition(
            .deny,
            of: .listener,
            .list(of: .block),
            """
            Which addresses clients may not come from, even where \(.allow) has them; written like those.
            """,
            default: .words("none"),
            reload: .inPlace
        ),
    ]

    package static let limits = [
        SettingDefinition(
            .maxClients,
            of: .listener,
            .count,
            """
            How many clients may be connected to a listener at a time. When there are more, those go first who never sent a \
            request.
            """,
            default: .value("\(ClientLimits().clients)"),
            reload: .inPlace
        ),
        SettingDefinition(
            .maxClientsPerAddress,
            of: .listener,
            .count,
            "How many of them may come from one address; behind a proxy or NAT all have the same.",
            default: .words("\(ClientLimits().clientsPerAddress), or \(.maxClients) if that is less"),
            reload: .inPlace
        ),
        SettingDefinition(
            .clientIdleTimeout,
            of: .listener,
            .limit,
            """
            Close clients that have asked nothing for this long. Clients that poll less often than that are closed between \
            two requests.
            """,
            default: .value("off"),
            reload: .inPlace
        ),
        SettingDefinition(
            .clientRequestTimeout,
            of: .listener,
            .duration,
            "How long a client may take to send a request, from its first byte to its last.",
            default: .value("60s"),
            reload: .inPlace
        ),
        SettingDefinition(
            .clientWriteTimeout,
            of: .listener,
            .duration,
            """
            How long a client may take nothing of what is written to it, counted from when the writing starts; then it is \
            closed.
            """,
            default: .value("30s"),
            reload: .inPlace
        ),
        SettingDefinition(
            .messageMemory,
            of: .listener,
            .size,
            """
            How much memory the large messages of all clients of a listener may take together: requests and responses not \
            yet taken, where they are more than 32 KiB. When that is used up, the client that holds the most is closed.
            """,
            default: .value("256M"),
            reload: .inPlace
        ),
    ]
}
