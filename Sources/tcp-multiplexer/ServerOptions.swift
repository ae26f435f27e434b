import ArgumentParser
import Foundation
import Logging
import MultiplexerCore
import SecureMux

struct DeviceOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("protocol"), .customLong("applicationProtocol")],
        help: ArgumentHelp(
            "What clients and device speak; 'tcp-multiplexer list' explains each. (default: echo)",
            valueName: "name"
        ),
        transform: Parse.applicationProtocol
    )
    var applicationProtocol = ApplicationProtocol.echo

    @Option(
        name: [.customShort("t"), .customLong("target"), .customLong("targetServer")],
        help: ArgumentHelp(
            """
            The device: name or address, and port. It gets one connection, opened when the first client comes and closed \
            when the last one leaves. (default: 127.0.0.1:1234)
            """,
            valueName: "host:port"
        ),
        transform: Parse.deviceAddress
    )
    var target = DeviceAddress(host: "127.0.0.1", port: 1234)

    @Option(
        help: ArgumentHelp(
            """
            How long the device may take to answer a request, from sending it. Then the client is told so (Modbus exception \
            0x0B), and keeps its connection. (default: 5s)
            """,
            valueName: "duration"
        ),
        transform: Parse.duration
    )
    var timeout = Duration.seconds(5)

    @Option(
        help: ArgumentHelp(
            """
            How long a request may take in all, waiting for its turn included. A request whose time has run out is never \
            sent. (default: 10s)
            """,
            valueName: "duration"
        ),
        transform: Parse.duration
    )
    var queueTimeout = Duration.seconds(10)

    @Option(
        help: ArgumentHelp(
            """
            How long to leave the device alone after it accepted the connection. Some devices lose what comes too early: \
            1s to 2s helps with Huawei inverters. (default: 0s)
            """,
            valueName: "duration"
        ),
        transform: Parse.duration
    )
    var delay = Duration.zero

    @Option(
        name: [.customLong("retry-delay"), .customLong("retryDelay")],
        help: ArgumentHelp(
            """
            How long to wait after a failed connection before the next attempt. It doubles with each failure, up to 30s or \
            this value if that is longer; meanwhile requests fail at once (Modbus exception 0x0A). (default: 1s)
            """,
            valueName: "duration"
        ),
        transform: Parse.duration
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
        guard maxInFlight == 1 || applicationProtocol.framing.carriesTransactionIDs else {
            throw ValidationError(
                "--max-in-flight \(maxInFlight): \(applicationProtocol.name) has no transaction ids to tell responses apart"
            )
        }
        guard timeout > .zero, queueTimeout > .zero else {
            throw ValidationError("--timeout and --queue-timeout must be longer than 0")
        }
    }
}

struct ClientOptions: ParsableArguments {
    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: ArgumentHelp(
            """
            Where clients connect: a port (all interfaces), host:port or [address]:port. It speaks TLS if a certificate is \
            given and --tls-listen is not. (default: 8000)
            """,
            valueName: "address"
        ),
        transform: Parse.listenAddress
    )
    var listen = ListenAddress(host: nil, port: 8000)

    @Option(
        help: ArgumentHelp(
            """
            Which addresses clients may come from, on every listener: 192.168.1.0/24, fd00::/8, 192.168.1.7. May be \
            repeated. Others are closed before a byte of theirs is read. (default: everyone)
            """,
            valueName: "cidr"
        ),
        transform: Parse.cidrBlock
    )
    var allow: [CIDRBlock] = []
}

struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A TLS listener beside the plain one of --listen; both share the one connection to the device.",
            valueName: "address"
        ),
        transform: Parse.listenAddress
    )
    var tlsListen: ListenAddress?

    @Option(
        help: ArgumentHelp(
            "The certificate chain in PEM, leaf first; Modbus/TCP Security wants the root in it too.",
            valueName: "file"
        )
    )
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key in PEM.", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is the passphrase of an encrypted --tls-key.",
            valueName: "file"
        )
    )
    var tlsKeyPassphraseFile: String?

    @Option(
        help: ArgumentHelp(
            "The oldest TLS version that clients may use: 1.2 or 1.3. (default: 1.2)",
            valueName: "version"
        ),
        transform: Parse.tlsVersion
    )
    var tlsMinVersion = TLSVersion.v1_2

    @Option(
        help: ArgumentHelp(
            "The certificates, in PEM, of those who may sign client certificates.",
            valueName: "file"
        )
    )
    var clientCa: String?

    @Option(
        help: ArgumentHelp(
            """
            Whether clients show a certificate: off, optional (verified if shown) or required. (default: required with \
            --client-ca, else off)
            """,
            valueName: "policy"
        ),
        transform: Parse.clientCertificates
    )
    var clientCertificates: ClientCertificates?

    func validate() throws {
        guard tlsCertificate != nil else {
            let others: [(String, Bool)] = [
                ("--tls-listen", tlsListen != nil), ("--tls-key", tlsKey != nil),
                ("--tls-key-passphrase-file", tlsKeyPassphraseFile != nil), ("--client-ca", clientCa != nil),
                ("--client-certificates", clientCertificates != nil),
            ]
            if let given = others.first(where: \.1) {
                throw ValidationError("\(given.0) needs TLS: give --tls-certificate and --tls-key too")
            }
            return
        }
        guard tlsKey != nil else {
            throw ValidationError("--tls-certificate needs its private key: give --tls-key too")
        }
        if clientCa == nil, let clientCertificates, clientCertificates != .off {
            throw ValidationError("--client-certificates \(clientCertificates) needs --client-ca to verify them with")
        }
    }

    /// The listeners that these options and the clients' ask for.
    func listeners(_ clients: ClientOptions) throws -> [ListenerConfiguration] {
        let allowList = AllowList(clients.allow)
        guard let tlsCertificate, let tlsKey else {
            return [ListenerConfiguration(address: clients.listen, allowList: allowList)]
        }
        let tls = TLSServerConfiguration(
            certificateChainFile: tlsCertificate,
            privateKeyFile: tlsKey,
            privateKeyPassphrase: try tlsKeyPassphraseFile.map {
                try Passphrase.read($0, option: "--tls-key-passphrase-file")
            },
            minimumVersion: tlsMinVersion,
            clientCertificates: clientCertificates ?? (clientCa == nil ? .off : .required),
            clientCAFile: clientCa
        )
        guard let tlsListen else {
            return [ListenerConfiguration(address: clients.listen, tls: tls, allowList: allowList)]
        }
        return [
            ListenerConfiguration(address: clients.listen, allowList: allowList),
            ListenerConfiguration(address: tlsListen, tls: tls, allowList: allowList),
        ]
    }
}

struct LogOptions: ParsableArguments {
    @Flag(name: [.short, .long], help: "Say more: clients that come and go, every attempt to reach the device.")
    var verbose = false

    @Flag(name: [.short, .long], help: "Say everything.")
    var debug = false

    var logger: Logger {
        let level: Logger.Level = debug ? .debug : verbose ? .info : .notice
        return Logger(label: "tcp-multiplexer") { _ in LineLogHandler(level: level) }
    }
}

/// A passphrase kept in a file, so that no process list shows it.
enum Passphrase {
    static func read(_ path: String, option: String) throws -> String {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            return text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
                ?? ""
        } catch {
            throw ConfigurationError("\(option) \(path): the file cannot be read")
        }
    }
}
