import MultiplexerCore
import Testing

@testable import SecureMux

/// What cannot be configured, whoever configures it; the command's tests have the same rules in its own words.
@Suite struct ServerConfigurationTests {
    /// The reason against a configuration of these parts; nil where it is valid.
    private func refusal(
        device: String = "inverter.lan:502",
        _ spoken: ApplicationProtocol = .modbus,
        profile: DeviceProfile? = nil,
        _ change: (inout [ListenerConfiguration], inout Multiplexer.Configuration) throws -> Void
    ) throws -> String? {
        var listeners = [ListenerConfiguration(address: try ListenAddress(parsing: "127.0.0.1:5020"))]
        var times = Multiplexer.Configuration()
        profile?.apply(to: &times)
        try change(&listeners, &times)
        let address = try DeviceAddress(parsing: device)
        do {
            _ = try ServerConfiguration(
                device: address,
                applicationProtocol: spoken,
                listeners: listeners,
                profile: profile,
                multiplexer: times
            )
            return nil
        } catch {
            return error.description
        }
    }

    @Test(arguments: ApplicationProtocol.all.map(\.name))
    func `each protocol can be shared with the defaults`(name: String) throws {
        let spoken = try #require(ApplicationProtocol.named(name))
        #expect(try refusal(spoken) { _, _ in } == nil)
    }

    @Test(arguments: DeviceProfile.all)
    func `each profile fits the defaults`(profile: DeviceProfile) throws {
        #expect(try refusal(profile: profile) { _, _ in } == nil)
    }

    /// A change of times, and how its refusal begins.
    struct Times: CustomTestStringConvertible {
        let reason: String
        let spoken: ApplicationProtocol
        let change: @Sendable (inout Multiplexer.Configuration) -> Void

        var testDescription: String { reason }

        init(
            _ reason: String,
            _ spoken: ApplicationProtocol = .modbus,
            change: @escaping @Sendable (inout Multiplexer.Configuration) -> Void
        ) {
            self.reason = reason
            self.spoken = spoken
            self.change = change
        }
    }

    @Test(arguments: [
        Times("'max-in-flight' must be 1 to 16") { $0.inFlightLimit = 17 },
        Times("'max-in-flight' 2: echo has no transaction ids", .echo) { $0.inFlightLimit = 2 },
        Times("'quiet-time' is of no use to modbus") { $0.quietTime = .seconds(1) },
        Times("'coalesce' off is of no use to echo", .echo) { $0.sharesReads = false },
        Times("'max-age' is of no use to echo", .echo) { $0.maximumResponseAge = .seconds(1) },
        Times("'write-priority' is of no use to echo", .echo) { $0.sendsWritesFirst = true },
        Times("'max-age' must be longer than 0") { $0.maximumResponseAge = .zero },
        Times("'max-age' 5m1s is longer than 5m") { $0.maximumResponseAge = .seconds(301) },
        Times("'coalesce' off asks the device for each read, 'max-age' 1s does not") {
            ($0.sharesReads, $0.maximumResponseAge) = (false, .seconds(1))
        },
        Times("'connect-timeout' must be longer than 0") { $0.connectTimeout = .zero },
        Times("'timeout' must be longer than 0") { $0.responseTimeout = .seconds(-1) },
        Times("'drain-timeout' must be longer than 0") { $0.drainTimeout = .zero },
        Times("'idle-close' must be longer than 0") { $0.idleClose = .zero },
        Times("'settle' must not be shorter than 0") { $0.settleTime = .seconds(-1) },
        Times("'retry-delay-max' 1s is shorter than the 'retry-delay' of 2s") {
            ($0.backoff.initial, $0.backoff.maximum) = (.seconds(2), .seconds(1))
        },
        Times("'queue-timeout' 4s would cut short the 'timeout' of 5s") { $0.queueTimeout = .seconds(4) },
        Times("the 'gap' of 10s leaves no request in time") { $0.minimumGap = .seconds(10) },
        Times("the 'quiet-time' of 10s leaves no request in time", .echo) { $0.quietTime = .seconds(10) },
        Times("'settle', 'delay' and 'gap', 10s together, leave no request in time") {
            ($0.settleTime, $0.delayAfterConnect, $0.minimumGap) = (.seconds(4), .seconds(4), .seconds(2))
        },
        Times("the 'connection-lifetime' of 2s leaves no time for requests") {
            ($0.connectionLifetime, $0.delayAfterConnect) = (.seconds(2), .seconds(1))
        },
    ])
    func `times that do not fit together are refused`(times: Times) throws {
        let refusal = try refusal(times.spoken) { _, configuration in times.change(&configuration) }
        #expect(refusal?.hasPrefix(times.reason) == true, "\(refusal ?? "it is valid")")
    }

    @Test func `a time that is from the profile is said to be`() throws {
        let refusal = try refusal(profile: .huaweiSDongle) { _, times in times.queueTimeout = .seconds(6) }
        #expect(
            refusal == "'queue-timeout' 6s would cut short the 'timeout' of 10s (from the profile): give a longer one, "
                + "or a shorter 'timeout' too"
        )
    }

    @Test func `a profile is for Modbus`() throws {
        #expect(
            try refusal(.echo, profile: .kostal) { _, _ in }
                == "'device-profile' kostal is for a device that speaks Modbus, not echo: add 'protocol' modbus"
        )
    }

    /// A change of the listener, and how its refusal begins.
    struct Clients: CustomTestStringConvertible {
        let reason: String
        let spoken: ApplicationProtocol
        let change: @Sendable (inout ListenerConfiguration) -> Void

        var testDescription: String { reason }

        init(
            _ reason: String,
            _ spoken: ApplicationProtocol = .modbus,
            change: @escaping @Sendable (inout ListenerConfiguration) -> Void
        ) {
            self.reason = reason
            self.spoken = spoken
            self.change = change
        }
    }

    private static func tls(_ clients: ClientCertificates, ca: String? = nil) -> TLSServerConfiguration {
        TLSServerConfiguration(
            certificateChainFile: "server.crt",
            privateKeyFile: "server.key",
            clientCertificates: clients,
            clientCAFile: ca
        )
    }

    @Test(arguments: [
        Clients("'device-protocol' modbus: what clients say with 'client-protocol' echo cannot be said in it") {
            $0.applicationProtocol = .echo
        },
        Clients("'unit-map' is of no use to echo", .echo) { $0.unitMap = UnitMap([1: 0]) },
        Clients("'unit-map' 1=0: a device that speaks modbus-serial takes unit 0 for a broadcast", .modbusSerial) {
            $0.unitMap = UnitMap([1: 0])
        },
        Clients("'max-clients' must be at least 1") { $0.rules.limits = ClientLimits(clients: 0) },
        Clients("'max-clients-per-address' 9 is more than 'max-clients' allows in all, 8") {
            $0.rules.limits = ClientLimits(clients: 8, clientsPerAddress: 9)
        },
        Clients("'message-memory' must be at least 1M") { $0.rules.limits.messageMemory = 1 },
        Clients("'client-write-timeout' must be longer than 0") { $0.rules.limits.writeTimeout = .zero },
        Clients("'client-idle-timeout' must be longer than 0") { $0.rules.limits.idleTimeout = .zero },
        Clients("'client-certificates' required needs 'client-ca'") { $0.rules.tls = tls(.required) },
        Clients("'client-certificates' off asks for none") { $0.rules.tls = tls(.off, ca: "ca.crt") },
        Clients("'handshake-timeout' must be longer than 0") {
            $0.rules.tls = tls(.off)
            $0.rules.tls?.handshakeTimeout = .zero
        },
    ])
    func `a listener that does not fit is refused`(clients: Clients) throws {
        let refusal = try refusal(clients.spoken) { listeners, _ in clients.change(&listeners[0]) }
        #expect(refusal?.hasPrefix(clients.reason) == true, "\(refusal ?? "it is valid")")
    }

    @Test func `fewer clients than may come from one address by default are all allowed to`() throws {
        #expect(ClientLimits(clients: 8).clientsPerAddress == 8)
        #expect(try refusal { listeners, _ in listeners[0].rules.limits = ClientLimits(clients: 8) } == nil)
    }

    @Test func `a device that is the listener is refused`() throws {
        #expect(
            try refusal(device: "127.0.0.1:5020") { _, _ in }
                == "the device 127.0.0.1:5020 is where clients are to connect (127.0.0.1:5020): give 'device' the device's "
                + "own address"
        )
    }

    @Test func `listeners of one address are refused, plain or not`() throws {
        #expect(
            try refusal { listeners, _ in listeners.append(listeners[0]) }
                == "two listeners have the address 127.0.0.1:5020, both of inverter.lan:502: give each its own, plain TCP and "
                + "TLS too"
        )
        let mixed = try refusal { listeners, _ in
            listeners.append(listeners[0])
            listeners[1].rules.tls = Self.tls(.off)
        }
        #expect(mixed?.hasPrefix("two listeners have the address 127.0.0.1:5020, both of ") == true)
    }

    @Test func `of several devices the one at fault is named`() throws {
        func device(_ name: String, port: Int, listen: String) throws -> DeviceConfiguration {
            DeviceConfiguration(
                name: name,
                address: try DeviceAddress(host: "127.0.0.1", port: port),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: try ListenAddress(parsing: listen))]
            )
        }
        func refusal(_ devices: DeviceConfiguration...) -> String? {
            #expect(throws: ConfigurationError.self) { try ServerConfiguration(devices: devices) }?.description
        }
        let roof = try device("roof", port: 502, listen: "5020")
        var garage = try device("garage", port: 503, listen: "5021")
        #expect(throws: Never.self) { try ServerConfiguration(devices: [roof, garage]) }
        #expect(refusal(roof, roof) == "two devices are called roof: give each a name of its own")
        #expect(
            try refusal(roof, device("garage", port: 502, listen: "5021"))
                == "the devices roof and garage have the address 127.0.0.1:502 in 'device': make them one, since a "
                + "device gets one connection"
        )
        #expect(
            try refusal(roof, device("garage", port: 503, listen: "5020"))
                == "two listeners have the address *:5020, one of roof, one of garage: give each its own, plain TCP and "
                + "TLS too"
        )
        #expect(
            try refusal(roof, device("garage", port: 5020, listen: "5021"))
                == "the device 127.0.0.1:5020 is where clients are to connect (*:5020): give 'device' the device's own address"
        )
        garage.multiplexer.responseTimeout = .zero
        #expect(refusal(roof, garage) == "device garage: 'timeout' must be longer than 0")
    }

    @Test func `listeners of free ports are told apart by them`() throws {
        let refusal = try refusal { listeners, _ in
            let free = ListenerConfiguration(address: try ListenAddress(host: "127.0.0.1", port: 0))
            listeners = [free, free]
        }
        #expect(refusal == nil)
    }
}
