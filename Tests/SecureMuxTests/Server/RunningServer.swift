import MultiplexerCore
import SecureMux

extension Multiplexer.Configuration {
    /// With times that a busy machine does not reach where a test is not about them.
    static func patient(_ change: (inout Self) -> Void = { _ in }) -> Self {
        var configuration = Self(
            responseTimeout: .seconds(60),
            queueTimeout: .seconds(60),
            connectTimeout: .seconds(60)
        )
        // Many tests end with a request in flight.
        configuration.drainTimeout = .seconds(1)
        change(&configuration)
        return configuration
    }
}

struct RunningServer {
    let server: Server
    let log: RecordedLog
    var port: Int { server.addresses.first?.port ?? 0 }

    /// Waits for a line of the log.
    @discardableResult
    func line(containing parts: String...) async throws -> String {
        var found: String?
        try await eventually {
            found = log.lines.first { line in parts.allSatisfy(line.contains) }
            return found != nil
        }
        return found ?? ""
    }

    func lines(containing text: String) -> [String] { log.lines.filter { $0.contains(text) } }
}

func withServer(
    _ configuration: Multiplexer.Configuration = .patient(),
    protocol applicationProtocol: ApplicationProtocol = .modbus,
    clients clientProtocol: ApplicationProtocol? = nil,
    unitMap: UnitMap = UnitMap(),
    allow: [String] = [],
    host: String? = "127.0.0.1",
    tls: TLSServerConfiguration? = nil,
    limits: ClientLimits = ClientLimits(),
    _ body: (RunningServer, TestDevice) async throws -> Void
) async throws {
    let device = try await TestDevice.start()
    try await withServer(
        configuration,
        protocol: applicationProtocol,
        clients: clientProtocol,
        unitMap: unitMap,
        allow: allow,
        host: host,
        tls: tls,
        limits: limits,
        devicePort: device.port
    ) {
        try await body($0, device)
    }
    try await device.stop()
}

func withServer(
    _ configuration: Multiplexer.Configuration,
    protocol applicationProtocol: ApplicationProtocol = .modbus,
    clients clientProtocol: ApplicationProtocol? = nil,
    unitMap: UnitMap = UnitMap(),
    allow: [String] = [],
    host: String? = "127.0.0.1",
    tls: TLSServerConfiguration? = nil,
    limits: ClientLimits = ClientLimits(),
    devicePort: Int,
    _ body: (RunningServer) async throws -> Void
) async throws {
    let log = RecordedLog()
    let server = try await Server.start(
        try ServerConfiguration(
            device: DeviceAddress(checked: "127.0.0.1", port: devicePort),
            applicationProtocol: applicationProtocol,
            listeners: [
                ListenerConfiguration(
                    address: ListenAddress(checked: host, port: 0),
                    applicationProtocol: clientProtocol,
                    unitMap: unitMap,
                    tls: tls,
                    allowList: AllowList(try allow.map { try CIDRBlock(parsing: $0) }),
                    limits: limits
                )
            ],
            multiplexer: configuration
        ),
        logger: log.logger
    )
    do {
        try await body(RunningServer(server: server, log: log))
    } catch {
        await server.drain()
        throw error
    }
    await server.drain()
}

func read(transaction: UInt8, unit: UInt8, address: UInt8, count: UInt8) -> [UInt8] {
    [0, transaction, 0, 0, 0, 6, unit, 3, 0, address, 0, count]
}

/// Write Single Register.
func write(transaction: UInt8, unit: UInt8, address: UInt8, value: UInt8) -> [UInt8] {
    [0, transaction, 0, 0, 0, 6, unit, 6, 0, address, 0, value]
}

func answer(_ request: [UInt8], registers: [UInt16]) -> [UInt8] {
    let data = registers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    return [request[0], request[1], 0, 0, 0, UInt8(3 + data.count), request[6], request[7], UInt8(data.count)] + data
}

func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw TestTimeout()
}
