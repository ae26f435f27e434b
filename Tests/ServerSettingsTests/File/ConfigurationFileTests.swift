import MultiplexerCore
import SecureMux
import ServerSettings
import Testing

@Suite struct ConfigurationFileTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func read(_ text: String, environment: [String: String] = [:]) throws -> ConfigurationFile {
        try folder.write(text, to: "config.yml")
        return try ConfigurationFile(folder.path("config.yml"), environment: environment)
    }

    /// What is said of a file, without its folder.
    private func problems(_ text: String) throws -> String? {
        #expect(throws: FileProblems.self) { try read(text) }.map { "\($0)" }?.replacing(folder.path(""), with: "")
    }

    @Test func `each device has its own settings, and its listeners theirs`() throws {
        let devices = try read(
            """
            devices:
              inverter:
                target: 10.0.0.1:502
                protocol: modbus
                profile: huawei-sdongle
                gap: 0
                listeners:
                  - address: 5020
                  - address: 0.0.0.0:5021
                    protocol: modbus-serial
                    allow: [10.0.0.0/8, fd00::/8]
                    deny: 10.0.0.9
                    unit-map: {1: 0, 2: 7}
                    max-clients: 5
              meter:
                target: meter.lan:502
                protocol: modbus-serial
                broadcast: no
                listeners: [{address: ':5022'}]
            """
        ).configuration.devices
        #expect(devices.map(\.name) == ["inverter", "meter"])
        #expect(devices[0].multiplexer.responseTimeout == .seconds(10))
        #expect(devices[0].multiplexer.minimumGap == .zero)
        #expect(devices[0].profile?.settings.contains { $0.time == .minimumGap } == false)
        #expect(devices[0].listeners.map(\.address.description) == ["127.0.0.1:5020", "0.0.0.0:5021"])
        let second = devices[0].listeners[1]
        #expect(second.applicationProtocol?.name == "modbus-serial")
        #expect(second.unitMap == UnitMap([1: 0, 2: 7]))
        #expect(second.rules.limits == ClientLimits(clients: 5))
        #expect(second.rules.allowList.blocks.count == 2 && second.rules.allowList.denied.count == 1)
        #expect(devices[1].address.description == "meter.lan:502")
        #expect(!devices[1].applicationProtocol.broadcastsUnit0)
        #expect(devices[1].listeners.map(\.address.description) == ["*:5022"])
    }

    @Test func `defaults hold for what says nothing else`() throws {
        let devices = try read(
            """
            defaults:
              device: {protocol: modbus, timeout: 7s}
              listener: {max-clients: 9, allow: [10.0.0.0/8]}
            devices:
              a: {target: 10.0.0.1:502, listeners: [{address: 5020}]}
              b: {target: 10.0.0.2:502, timeout: 3s, listeners: [{address: 5021, max-clients: 3}]}
            """
        ).configuration.devices
        #expect(devices.map(\.multiplexer.responseTimeout) == [.seconds(7), .seconds(3)])
        #expect(devices.map { $0.listeners[0].rules.limits.clients } == [9, 3])
        #expect(devices.map { $0.listeners[0].rules.allowList.blocks.count } == [1, 1])
    }

    @Test func `files are looked for beside the one that names them`() throws {
        let tls = try read(
            """
            devices:
              a:
                target: 10.0.0.1:502
                protocol: modbus
                listeners: [{address: 802, tls: {certificate: tls/a.crt, key: /etc/a.key, client-ca: ca.crt}}]
            """
        ).configuration.devices[0].listeners[0].rules.tls
        #expect(tls?.certificateChainFile == folder.path("tls/a.crt"))
        #expect(tls?.privateKeyFile == "/etc/a.key")
        #expect(tls?.clientCAFile == folder.path("ca.crt"))
        #expect(tls?.clientCertificates == .required)
    }

    @Test func `further files bring devices, in the order of their names`() throws {
        try folder.write(Self.device("b", 2), to: "conf.d/2.yml")
        try folder.write(Self.device("c", 3), to: "conf.d/1.yml")
        try folder.write("not read", to: "conf.d/3.yaml")
        let file = try read("include: conf.d/*.yml\ndefaults: {device: {gap: 1s}}\n" + Self.device("a", 1))
        #expect(file.configuration.devices.map(\.name) == ["c", "b", "a"])
        #expect(file.configuration.devices.allSatisfy { $0.multiplexer.minimumGap == .seconds(1) })
        #expect(file.files == ["config.yml", "conf.d/1.yml", "conf.d/2.yml"].map(folder.path))
    }

    @Test func `what is wrong with a further file is said of that one`() throws {
        try folder.write("devices:\n  a: {target: x}\nlog: {level: info}\n", to: "conf.d/1.yml")
        let said = try problems("include: [conf.d/*.yml]\n" + Self.device("a", 1))
        #expect(
            said == """
                config.yml:3:3: devices.a: a device of this name is in conf.d/1.yml already: give each a name of its own
                conf.d/1.yml:2:3: devices.a: 'protocol' is missing: write 'protocol: modbus', for example
                conf.d/1.yml:2:3: devices.a: nobody can reach it: write 'listeners:' and below it '- address: 5020'
                conf.d/1.yml:2:15: devices.a.target: 'x' is not the address of a device: it names no port. Write host:port, as \
                in inverter.lan:502, 192.0.2.1:502 or [fe80::1%eth0]:502
                conf.d/1.yml:3:1: log: a file that is included holds devices alone: write this in the one that includes it
                """
        )
    }

    @Test func `a pattern that finds nothing is no mistake`() throws {
        #expect(try read("include: conf.d/*.yml\n" + Self.device("a", 1)).files.count == 1)
    }

    @Test func `a variable stands for a text, not for keys`() throws {
        let text = "devices: {a: {target: '${HOST}:502', protocol: '${P:-modbus}', listeners: [{address: 5020}]}}"
        let device = try read(text, environment: ["HOST": "inverter.lan"]).configuration.devices[0]
        #expect(device.address.description == "inverter.lan:502")
        #expect(device.applicationProtocol.name == "modbus")
        let injected = #expect(throws: FileProblems.self) {
            try read(text, environment: ["HOST": "a:502, gap: 5s #"])
        }
        #expect(injected?.all.count == 1)
    }

    @Test func `what holds for the process is kept apart`() throws {
        let text = "log: {level: debug, file: a.log}\nwatch: true\n"
        let process = try read(text + Self.device("a", 1)).written.process
        #expect(process[.logLevel] == "debug" && process[.watch] == "true")
        #expect(process[.logFile] == folder.path("a.log"))
    }

    @Test func `a file of 4 MiB is refused, and one that is no text`() throws {
        let large = try problems(String(repeating: "# more\n", count: 600_000))
        #expect(large == "config.yml:1:1: the file is larger than 4M, which no configuration is")
        let missing = #expect(throws: FileProblems.self) {
            try ConfigurationFile(folder.path("missing.yml"), environment: [:])
        }
        #expect(missing.map { "\($0)" } == "\(folder.path("missing.yml")):1:1: the file does not exist")
    }

    private static func device(_ name: String, _ number: Int) -> String {
        "devices:\n  \(name): {target: 10.0.0.\(number):502, protocol: modbus, listeners: [{address: \(5000 + number)}]}\n"
    }
}
