import ArgumentParser
import MultiplexerCore
import SecureMux

struct ClientOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: ArgumentHelp(
            """
            Where clients connect: a port (all interfaces), host:port or [address]:port. It speaks TLS if a certificate is \
            given and --tls-listen is not, else plain TCP. (default: 8000; none with --tls-listen)
            """,
            valueName: "address"
        ),
        transform: ListenAddress.init(parsing:)
    )
    var listen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            """
            Which addresses clients may come from, on every listener: 192.168.1.0/24, fd00::/8, 192.168.1.7. May be \
            repeated. Others are closed before a byte of theirs is read. (default: everyone)
            """,
            valueName: "cidr"
        ),
        transform: CIDRBlock.init(parsing:)
    )
    var allow: [CIDRBlock] = []
}
