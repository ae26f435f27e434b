import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

@testable import SecureMux

/// Starts a server that shares these devices, for as long as `body` runs.
func withServer(
    sharing devices: [DeviceConfiguration],
    _ body: (RunningServer) async throws -> Void
) async throws {
    let log = RecordedLog()
    let server = try await Server.start(try ServerConfiguration(devices: devices), logger: log.logger)
    do {
        try await body(RunningServer(server: server, log: log))
    } catch {
        await server.drain()
        throw error
    }
    await server.drain()
}

extension RunningServer {
    @discardableResult
    func reload(_ devices: [DeviceConfiguration]) async throws -> ReloadOutcome {
        try await server.reload(try ServerConfiguration(devices: devices))
    }

    func port(of device: String, _ listener: Int = 0) -> Int { server.addresses(of: device)[listener].port }
}

extension TestDevice {
    /// This device as a server shares it.
    func shared(
        as name: String,
        at listeners: [ListenerConfiguration] = [.local()],
        _ change: (inout Multiplexer.Configuration) -> Void = { _ in }
    ) -> DeviceConfiguration {
        DeviceConfiguration(
            name: name,
            address: DeviceAddress(checked: "127.0.0.1", port: port),
            applicationProtocol: .modbus,
            listeners: listeners,
            multiplexer: .patient(change)
        )
    }

    /// Answers one request on its connection with this number, with this value.
    func answerNext(on connection: Int = 0, _ value: UInt16 = 7) async throws {
        let link = try await self.connection(connection)
        try await link.send(answer(try await link.receiveFrame(), registers: [value]))
    }

    /// Answers all reads with their address, on whatever connection, until the task is cancelled.
    func answerAll() async {
        var index = 0
        while !Task.isCancelled {
            guard let link = try? await connection(index, within: .seconds(1)) else { continue }
            index += 1
            while let request = try? await link.receiveFrame() {
                try? await link.send(answer(request, registers: [UInt16(request[9])]))
            }
        }
    }
}

extension ListenerConfiguration {
    /// At a port of this machine, which the system chooses unless it is given.
    static func local(
        _ port: Int = 0,
        host: String = "127.0.0.1",
        tls: TLSServerConfiguration? = nil,
        allow: [String] = [],
        limits: ClientLimits = ClientLimits()
    ) -> ListenerConfiguration {
        ListenerConfiguration(
            address: ListenAddress(checked: host, port: port),
            tls: tls,
            allowList: AllowList(allow.compactMap { try? CIDRBlock(parsing: $0) }),
            limits: limits
        )
    }
}

/// A port that nobody listens at.
func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
}

/// A client's read of one register, and the value that it got.
func value(_ client: TestPeer, address: UInt8 = 0) async throws -> UInt8? {
    try await client.exchange(read(transaction: 1, unit: 1, address: address, count: 1)).last
}
