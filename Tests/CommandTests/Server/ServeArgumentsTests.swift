import ArgumentParser
import Logging
import MultiplexerCore
import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

@Suite struct ServeArgumentsTests {
    private static let certificate = ["--tls-certificate", "server.crt", "--tls-key", "server.key"]

    // MARK: The device

    @Test func `without options it is the Go program's server`() throws {
        let serve = try Serve.parse([])
        #expect(serve.spoken.applicationProtocol == nil)
        #expect(try serve.clientProtocol.name == "echo")
        #expect(try serve.meaning.address == DeviceAddress(checked: "127.0.0.1", port: 1234))
        #expect(try serve.multiplexer == Multiplexer.Configuration())
        #expect(try serve.multiplexer.linger == .seconds(5))
        #expect(try serve.multiplexer.quietTime == nil)
    }

    @Test(arguments: [
        ["-p", "modbus", "-t", "10.0.0.7:502", "-l", "5020", "--retryDelay", "2s"],
        [
            "--applicationProtocol", "modbus", "--targetServer", "10.0.0.7:502", "--listen", "5020", "--retry-delay",
            "2",
        ],
        ["--protocol", "modbus-tcp", "--target", "10.0.0.7:502", "-l", ":5020", "--retryDelay=2000ms"],
    ])
    func `options have the names of the Go program too`(options: [String]) throws {
        let serve = try Serve.parse(options)
        #expect(try serve.clientProtocol.name == "modbus")
        #expect(try serve.meaning.address == DeviceAddress(checked: "10.0.0.7", port: 502))
        #expect(try serve.multiplexer.backoff == Backoff(initial: .seconds(2)))
        #expect(try serve.meaning.listeners.map(\.address) == [ListenAddress(checked: nil, port: 5020)])
    }

    @Test(arguments: [
        ["-p", "modbus", "-t", "127.0.0.1:1234", "-l", "8000", "-v"],
        ["-p", "echo", "-t", "127.0.0.1:1234", "-l", "8000"],
        ["-t", "127.0.0.1:1234", "-l", "127.0.0.1:8000", "-d"],
        ["-p", "modbus", "-t", "127.0.0.1:1234", "--timeout", "60", "--delay", "1s", "--retryDelay", "2s"],
        ["-p", "modbus", "--retryDelay", "0"],
    ])
    func `command lines of the Go program are taken unchanged`(options: [String]) throws {
        let serve = try Serve.parse(options)
        #expect(try serve.meaning.address == DeviceAddress(checked: "127.0.0.1", port: 1234))
        #expect(try serve.meaning.listeners.map(\.address.port) == [8000])
    }

    @Test(
        arguments: [
            ([], 5, 10), (["--timeout", "7"], 7, 10), (["--timeout", "30"], 30, 30),
            (["--timeout", "2", "--queue-timeout", "3"], 2, 3), (["--queue-timeout", "5"], 5, 5),
            (["--timeout", "30", "--queue-timeout", "1m"], 30, 60),
        ] as [([String], Int, Int)]
    )
    func `a request has at least the time that the device may take`(options: [String], device: Int, all: Int) throws {
        let configuration = try Serve.parse(options).multiplexer
        #expect(configuration.responseTimeout == .seconds(device))
        #expect(configuration.queueTimeout == .seconds(all))
    }

    @Test func `further options of the device reach the multiplexer`() throws {
        let configuration = try Serve.parse(["-p", "modbus", "--max-in-flight", "4"]).multiplexer
        #expect(configuration.inFlightLimit == 4)
    }

    // MARK: What the device repeats

    @Test(arguments: ["modbus", "modbus-rtu"])
    func `transaction ids are checked unless they are to be ignored`(name: String) throws {
        for (options, carriesIDs) in [
            ([], true), (["--transaction-ids", "checked"], true), (["--transaction-ids", "ignored"], false),
        ] as [([String], Bool)] {
            let device = try Serve.parse(["-p", name] + options).deviceProtocol
            #expect(device.name == name)
            #expect(device.framing.carriesTransactionIDs == carriesIDs)
            // Clients have theirs in any case.
            let clients = try Serve.parse(["-p", name] + options).clientProtocol
            #expect(clients.framing.carriesTransactionIDs)
        }
    }

    @Test(arguments: ["modbus", "modbus-rtu", "modbus-serial"])
    func `units are checked unless they are to be ignored`(name: String) throws {
        for (options, checksUnits) in [
            ([], true), (["--unit-ids", "checked"], true), (["--unit-ids", "ignored"], false),
        ] as [([String], Bool)] {
            let serve = try Serve.parse(["-p", name] + options)
            let device = try serve.deviceProtocol
            let clients = try #require(try serve.clientProtocol.translated(to: device))
            for rules in [device.messageRules, clients.messageRules] {
                let request = rules.request(([3, 1, 0, 0, 0, 8] as [UInt8]).span)
                let response = rules.response(([1, 1, 1, 0x55] as [UInt8]).span)
                #expect((request.correlation == response.correlation) == !checksUnits)
            }
        }
    }

    @Test func `what the device repeats is of its wire, not of its clients'`() throws {
        let options = ["-p", "modbus-serial", "--target-protocol", "modbus", "--transaction-ids", "ignored"]
        #expect(try !Serve.parse(options).deviceProtocol.framing.carriesTransactionIDs)
    }

    @Test(
        arguments: [
            ("modbus-serial", .seconds(1)), ("http", .zero), ("echo", .milliseconds(100)),
            ("iso8583", .milliseconds(100)),
        ] as [(String, Duration)]
    )
    func `each wire without ids has its quiet time`(name: String, quietTime: Duration) throws {
        #expect(try Serve.parse(["-p", name]).deviceProtocol.quietTime == quietTime)
    }

    // MARK: Times

    /// Options, and what they do to the defaults.
    struct Times: CustomTestStringConvertible {
        let options: [String]
        let change: @Sendable (inout Multiplexer.Configuration) -> Void

        var testDescription: String { options.joined(separator: " ") }

        init(_ options: String..., change: @escaping @Sendable (inout Multiplexer.Configuration) -> Void) {
            self.options = options
            self.change = change
        }
    }

    @Test(arguments: [
        Times("--connect-timeout", "3s") { $0.connectTimeout = .seconds(3) },
        Times("--delay", "1500ms") { $0.delayAfterConnect = .milliseconds(1500) },
        Times("--timeout", "2s") { $0.responseTimeout = .seconds(2) },
        Times("--queue-timeout", "20s") { $0.queueTimeout = .seconds(20) },
        Times("--gap", "50ms") { $0.minimumGap = .milliseconds(50) },
        Times("--broadcast-delay", "200ms") { $0.broadcastDelay = .milliseconds(200) },
        Times("--broadcast-delay", "0") { $0.broadcastDelay = .zero },
        Times("--idle-close", "90s") { $0.idleClose = .seconds(90) },
        Times("--idle-close", "off") { $0.idleClose = nil },
        Times("--connection-lifetime", "5m") { $0.connectionLifetime = .seconds(300) },
        Times("--connection-lifetime", "off") { $0.connectionLifetime = nil },
        Times("--settle", "2s") { $0.settleTime = .seconds(2) },
        Times("--linger", "1m") { $0.linger = .seconds(60) },
        Times("--linger", "0") { $0.linger = .zero },
        Times("--quiet-time", "300ms") { $0.quietTime = .milliseconds(300) },
        Times("--quiet-time", "0") { $0.quietTime = .zero },
        Times("--retry-delay", "3s") { $0.backoff = Backoff(initial: .seconds(3), maximum: .seconds(30)) },
        Times("--retry-delay", "1m") { $0.backoff = Backoff(initial: .seconds(60), maximum: .seconds(60)) },
        Times("--retry-delay-max", "5s") { $0.backoff = Backoff(initial: .seconds(1), maximum: .seconds(5)) },
        Times("--retry-delay-max", "500ms") {
            $0.backoff = Backoff(initial: .milliseconds(500), maximum: .milliseconds(500))
        },
        Times("--retry-delay", "2s", "--retry-delay-max", "2s") {
            $0.backoff = Backoff(initial: .seconds(2), maximum: .seconds(2))
        },
        Times("--drain-timeout", "30s") { $0.drainTimeout = .seconds(30) },
    ])
    func `each clock has an option of its own`(times: Times) throws {
        var expected = Multiplexer.Configuration()
        times.change(&expected)
        #expect(try Serve.parse(times.options).multiplexer == expected)
    }

    // MARK: Profiles

    @Test(arguments: DeviceProfile.all.map(\.name))
    func `a profile sets what it says, and nothing else`(name: String) throws {
        let profile = try #require(DeviceProfile.named(name))
        var expected = Multiplexer.Configuration()
        profile.apply(to: &expected)
        let serve = try Serve.parse(["-p", "modbus", "--device-profile", name])
        #expect(try serve.multiplexer == expected)
    }

    @Test func `an option that is given wins over the profile, whatever comes first`() throws {
        let profile = ["--device-profile", "huawei-sdongle"]
        let given = ["--delay", "3s", "--gap", "0"]
        for options in [profile + given, given + profile] {
            let configuration = try Serve.parse(["-p", "modbus"] + options).multiplexer
            #expect(configuration.delayAfterConnect == .seconds(3))
            #expect(configuration.minimumGap == .zero)
            #expect(configuration.responseTimeout == .seconds(10))
            #expect(configuration.queueTimeout == .seconds(10))
        }
    }

    @Test func `what a profile turns on can be turned off`() throws {
        let options = ["-p", "modbus", "--device-profile", "solaredge", "--idle-close", "off"]
        let configuration = try Serve.parse(options).multiplexer
        #expect(configuration.idleClose == nil)
        #expect(configuration.connectionLifetime == .seconds(300))
    }

    @Test func `the log says which times a profile leads to`() throws {
        let options = ["-p", "modbus", "--device-profile", "huawei-sdongle", "--delay", "2s"]
        #expect(
            try Serve.parse(options).writtenDevice.profileInForce(.options) == [
                "profile": "huawei-sdongle", "settings": "--timeout 10s, --delay 2s (given), --gap 50ms",
            ]
        )
        let plain = try Serve.parse(["-p", "modbus", "--device-profile", "fronius"])
        #expect(plain.writtenDevice.profileInForce(.options) == ["profile": "fronius", "settings": "the defaults"])
        #expect(try Serve.parse(["-p", "modbus"]).writtenDevice.profileInForce(.options) == nil)
    }

    @Test func `the help names every profile`() {
        // Lines are broken anywhere.
        let help = Serve.helpMessage(columns: 10_000)
        for profile in DeviceProfile.all {
            #expect(help.contains(profile.name))
        }
    }

    // MARK: Listeners

    /// A listener without its files.
    struct Opened: Equatable, CustomTestStringConvertible {
        let port: Int
        let isTLS: Bool

        var testDescription: String { "\(isTLS ? "TLS" : "plain") on \(port)" }

        static func plain(_ port: Int) -> Self { Self(port: port, isTLS: false) }
        static func tls(_ port: Int) -> Self { Self(port: port, isTLS: true) }
    }

    @Test(
        arguments: [
            ([], [.plain(8000)]),
            (["-l", "5020"], [.plain(5020)]),
            (certificate, [.tls(8000)]),
            (certificate + ["-l", "5020"], [.tls(5020)]),
            (certificate + ["--tls-listen", "802"], [.tls(802)]),
            (certificate + ["--tls-listen", "8000"], [.tls(8000)]),
            (certificate + ["-l", "5020", "--tls-listen", "802"], [.plain(5020), .tls(802)]),
            (certificate + ["-l", "0", "--tls-listen", "0"], [.plain(0), .tls(0)]),
        ] as [([String], [Opened])]
    )
    func `only what is asked for is opened`(options: [String], opened: [Opened]) throws {
        let listeners = try Serve.parse(options).meaning.listeners
        #expect(listeners.map { Opened(port: $0.address.port, isTLS: $0.rules.tls != nil) } == opened)
    }

    @Test func `the allow-list holds for every listener`() throws {
        let options = ["-l", "5020", "--tls-listen", "802", "--allow", "10.0.0.0/8", "--allow", "fd00::/8"]
        let listeners = try Serve.parse(Self.certificate + options).meaning.listeners
        let blocks = [try CIDRBlock(parsing: "10.0.0.0/8"), try CIDRBlock(parsing: "fd00::/8")]
        #expect(listeners.map(\.rules.allowList) == [AllowList(blocks), AllowList(blocks)])
    }

    // MARK: Limits of clients

    @Test(
        arguments: [
            ([], ClientLimits()),
            (["--max-clients", "9"], ClientLimits(clients: 9, clientsPerAddress: 9)),
            (["--max-clients", "5000"], ClientLimits(clients: 5000)),
            (["--max-clients-per-address", "7"], ClientLimits(clientsPerAddress: 7)),
            (["--max-clients", "7", "--max-clients-per-address", "7"], ClientLimits(clients: 7, clientsPerAddress: 7)),
            (["--client-idle-timeout", "10m"], ClientLimits(idleTimeout: .seconds(600))),
            (["--client-idle-timeout", "off"], ClientLimits()),
            (["--client-request-timeout", "5s"], ClientLimits(requestTimeout: .seconds(5))),
            (["--client-write-timeout", "1s"], ClientLimits(writeTimeout: .seconds(1))),
            (["--message-memory", "16M"], ClientLimits(messageMemory: 16 << 20)),
        ] as [([String], ClientLimits)]
    )
    func `each limit of clients holds at every listener`(options: [String], limits: ClientLimits) throws {
        let listeners = try Serve.parse(Self.certificate + ["-l", "5020", "--tls-listen", "802"] + options).meaning
            .listeners
        #expect(listeners.map(\.rules.limits) == [limits, limits])
    }

    // MARK: TLS

    @Test(
        arguments: [
            ([], .off), (["--client-certificates", "off"], .off), (["--client-ca", "ca.crt"], .required),
            (["--client-ca", "ca.crt", "--client-certificates", "required"], .required),
            (["--client-ca", "ca.crt", "--client-certificates", "optional"], .optional),
        ] as [([String], ClientCertificates)]
    )
    func `client certificates are required once there is an authority`(
        options: [String],
        policy: ClientCertificates
    ) throws {
        let tls = try #require(try Serve.parse(Self.certificate + options).meaning.listeners.first?.rules.tls)
        #expect(tls.clientCertificates == policy)
        #expect(tls.clientCAFile == (options.contains("--client-ca") ? "ca.crt" : nil))
    }

    @Test func `TLS files and versions reach the listener`() throws {
        let tls = try #require(try Serve.parse(Self.certificate).meaning.listeners.first?.rules.tls)
        #expect(tls.certificateChainFile == "server.crt")
        #expect(tls.privateKeyFile == "server.key")
        #expect(tls.privateKeyPassphrase == nil)
        #expect(tls.minimumVersion == .v1_2)
        let modern = try Serve.parse(Self.certificate + ["--tls-min-version", "1.3"]).meaning.listeners.first?.rules.tls
        #expect(modern?.minimumVersion == .v1_3)
        #expect(tls.handshakeTimeout == .seconds(10))
        let patient = try Serve.parse(Self.certificate + ["--handshake-timeout", "30s"]).meaning.listeners.first?.rules
            .tls
        #expect(patient?.handshakeTimeout == .seconds(30))
    }

    @Test func `a passphrase file that cannot be read is named with its option`() throws {
        let serve = try Serve.parse(Self.certificate + ["--tls-key-passphrase-file", "/nonexistent/passphrase"])
        let error = #expect(throws: ConfigurationError.self) {
            try serve.writtenDevice.configuration(readsSecrets: true)
        }
        #expect(
            error?.namingOptions.hasPrefix("--tls-key-passphrase-file /nonexistent/passphrase does not exist") == true
        )
    }

    // MARK: Refusals

    @Test(
        arguments: [
            (
                ["-p", "modbus", "--target-protocol", "modbus-serial", "--unit-map", "1=0"],
                "--unit-map 1=0: a device that speaks modbus-serial takes unit 0 for a broadcast"
            ),
            (["-p", "modbus", "--target-protocol", "echo"], "--target-protocol echo"),
            (["-p", "echo", "--unit-map", "1=0"], "--unit-map is of no use to echo"),
            (["-p", "http", "--broadcast"], "--broadcast is of no use to http"),
            (["-p", "modbus", "--unit-map", "1=0", "--unit-map", "1=2"], "names the clients' unit 1 twice"),
            (["-p", "modbus", "--transaction-ids", "trusted"], "'trusted' is neither checked nor ignored"),
            (["-p", "echo", "--unit-ids", "ignored"], "--unit-ids is of no use to echo"),
            (
                ["-p", "modbus-serial", "--transaction-ids", "ignored"],
                "--transaction-ids is of no use to modbus-serial, which has none"
            ),
            (["-p", "http", "--transaction-ids", "checked"], "--transaction-ids is of no use to http, which has none"),
            (
                ["-p", "modbus", "--target-protocol", "modbus-serial", "--transaction-ids", "checked"],
                "--transaction-ids is of no use to modbus-serial"
            ),
            (
                ["-p", "modbus", "--transaction-ids", "ignored", "--max-in-flight", "2"],
                "--max-in-flight 2: with --transaction-ids ignored it has no transaction ids to tell responses apart"
            ),
            (["-p", "modbus", "--quiet-time", "1s"], "--quiet-time is of no use to modbus"),
            (
                ["-p", "modbus-serial", "--quiet-time", "10s"],
                "the --quiet-time of 10s leaves no request in time behind one that was not answered"
            ),
            (
                ["-p", "modbus-serial", "--timeout", "200ms", "--queue-timeout", "800ms"],
                "the --quiet-time of 1s leaves no request in time behind one that was not answered"
            ),
            (["-p", "modbus", "--target-protocol", "modbus-serial", "--max-in-flight", "2"], "no transaction ids"),
            (["-p", "modbos"], "'modbos' is not a protocol that this program speaks: modbus, "),
            (["-t", "inverter"], "'inverter' is not the address of a device: it names no port."),
            (["-l", "host:"], "'host:' is not an address to listen on: it names no port."),
            (["--timeout", "soon"], "'soon' is not a duration"),
            (["--timeout", "0"], "--timeout must be longer than 0"),
            (["--queue-timeout", "0"], "--queue-timeout must be longer than 0"),
            (["--connect-timeout", "0"], "--connect-timeout must be longer than 0"),
            (["--drain-timeout", "0s"], "--drain-timeout must be longer than 0"),
            (["--timeout", "off"], "'off' is not a duration"),
            (["--gap", "often"], "'often' is not a duration"),
            (
                ["--gap", "10s"],
                "the --gap of 10s leaves no request in time: it has to be shorter than the --queue-timeout of 10s"
            ),
            (
                ["--gap", "4s", "--timeout", "1s", "--queue-timeout", "3s"],
                "the --gap of 4s leaves no request in time: it has to be shorter than the --queue-timeout of 3s"
            ),
            (
                ["--retry-delay", "5s", "--retry-delay-max", "2s"],
                "--retry-delay-max 2s is shorter than the --retry-delay of 5s: give a longer one, or a shorter --retry-delay"
            ),
            (["--idle-close", "0"], "'0' would end everything at once: write off for no limit"),
            (["--idle-close", "never"], "or off for no limit"),
            (["--connection-lifetime", "0s"], "'0s' would end everything at once: write off for no limit"),
            (
                ["--connection-lifetime", "2s", "--delay", "1500ms"],
                "the --connection-lifetime of 2s leaves no time for requests: it has to be at least 1s longer than twice the --delay "
                    + "of 1.5s"
            ),
            (["--connection-lifetime", "10ms"], "the --connection-lifetime of 10ms leaves no time for requests"),
            (
                ["-p", "modbus", "--device-profile", "solaredge", "--delay", "3m", "--queue-timeout", "10m"],
                "the --connection-lifetime of 5m (from the profile) leaves no time for requests"
            ),
            (
                ["-p", "modbus", "--device-profile", "huawei-sdongle", "--queue-timeout", "6s"],
                "--queue-timeout 6s would cut short the --timeout of 10s (from the profile)"
            ),
            (
                ["-p", "modbus", "--device-profile", "huawei"],
                "'huawei' is not a device profile: huawei-sun2000, huawei-sdongle, huawei-emma, solaredge"
            ),
            (
                ["--device-profile", "solaredge"],
                "--device-profile solaredge is for a device that speaks Modbus, not echo: add -p modbus"
            ),
            (["--max-clients", "0"], "--max-clients must be at least 1"),
            (["--max-clients", "many"], "'many' is invalid for '--max-clients"),
            (["--max-clients-per-address", "0"], "--max-clients-per-address must be at least 1"),
            (
                ["--max-clients-per-address", "5000"],
                "--max-clients-per-address 5000 is more than --max-clients allows in all, 4096: give a smaller one, or a "
                    + "larger --max-clients"
            ),
            (["--client-idle-timeout", "0"], "'0' would end everything at once: write off for no limit"),
            (["--client-request-timeout", "0"], "--client-request-timeout must be longer than 0"),
            (["--client-write-timeout", "0"], "--client-write-timeout must be longer than 0"),
            (["--message-memory", "1023k"], "--message-memory must be at least 1M"),
            (["--handshake-timeout", "5s"], "--handshake-timeout needs TLS"),
            (certificate + ["--handshake-timeout", "0"], "--handshake-timeout must be longer than 0"),
            (
                ["--timeout", "30", "--queue-timeout", "20s"],
                "--queue-timeout 20s would cut short the --timeout of 30s: give a longer one, or a shorter --timeout too"
            ),
            (["--queue-timeout", "4999ms"], "--queue-timeout 4.999s would cut short the --timeout of 5s"),
            (["--max-in-flight", "0"], "--max-in-flight must be 1 to 16"),
            (["-p", "modbus", "--max-in-flight", "17"], "--max-in-flight must be 1 to 16"),
            (["--max-in-flight", "2"], "--max-in-flight 2: echo has no transaction ids to tell responses apart"),
            (["--allow", "10.0.0.0/33"], "'10.0.0.0/33' is not an address block"),
            (["--tls-listen", "802"], "--tls-listen needs TLS: give --tls-certificate and --tls-key too"),
            (["--tls-key", "k"], "--tls-key needs TLS: give --tls-certificate and --tls-key too"),
            (["--tls-key-passphrase-file", "f"], "--tls-key-passphrase-file needs TLS"),
            (["--tls-min-version", "1.3"], "--tls-min-version needs TLS"),
            (["--client-ca", "ca"], "--client-ca needs TLS"),
            (["--client-certificates", "off"], "--client-certificates needs TLS"),
            (["--tls-certificate", "c"], "--tls-certificate needs its private key: give --tls-key too"),
            (certificate + ["--tls-min-version", "1.1"], "'1.1' is not a TLS version that may be used: 1.2 or 1.3"),
            (
                certificate + ["--client-certificates", "maybe"],
                "'maybe' is not a policy for client certificates: off, optional or required"
            ),
            (
                certificate + ["--client-certificates", "optional"],
                "--client-certificates optional needs --client-ca to verify them with"
            ),
            (
                certificate + ["--client-certificates", "off", "--client-ca", "ca"],
                "--client-certificates off asks for none to verify with --client-ca: leave one of them out"
            ),
            (
                ["-t", "127.0.0.1:8000"],
                "the device 127.0.0.1:8000 is where clients are to connect (*:8000): give -t the device's own address"
            ),
            (
                certificate + ["-t", "10.0.0.1:802", "--tls-listen", "10.0.0.1:802"],
                "the device 10.0.0.1:802 is where clients are to connect (10.0.0.1:802): give -t the device's own address"
            ),
            (
                certificate + ["-l", "802", "--tls-listen", ":802"],
                "two listeners have the address *:802, both of 127.0.0.1:1234: give each its own, plain TCP and TLS too"
            ),
        ] as [([String], String)]
    )
    func `options that make no sense are refused with the reason`(options: [String], reason: String) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(options) }
        let message = error.map(Serve.message(for:)) ?? ""
        #expect(message.contains(reason))
        #expect(error.map { Serve.exitCode(for: $0) } == .validationFailure)
    }
}
