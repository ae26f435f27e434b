import Logging
import MultiplexerCore
import NIOCore
import SimulatedDevice
import Testing

@testable import SecureMux

/// How long a listener waits for its clients, on real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClientLimitsTests {
    @Test(arguments: [false, true])
    func `a client that asks for nothing any more is closed cleanly`(overTLS: Bool) async throws {
        try await withServer(overTLS: overTLS, ClientLimits(idleTimeout: .seconds(1))) { server, device in
            let client = try await server.connect()
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            // Far longer than it may be idle: it is not, while it waits.
            try await Task.sleep(for: .milliseconds(1500))
            try await link.send(answer(try await link.receiveFrame(), registers: [7]))
            #expect(try await client.receiveFrame().last == 7)
            #expect(try await client.receiveToEnd() == [])
            let line = try await server.running.line(containing: "client closed")
            #expect(line.hasPrefix("info ") && line.contains("idle timeout"))
            #expect(server.running.lines(containing: "client connection failed").isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func `a client that never asks for anything is closed after the idle timeout`(overTLS: Bool) async throws {
        try await withServer(overTLS: overTLS, ClientLimits(idleTimeout: .milliseconds(100))) { server, _ in
            let client = try await server.connect()
            #expect(try await client.receiveToEnd() == [])
        }
    }

    @Test func `without an idle timeout a client may be silent`() async throws {
        let limits = ClientLimits(requestTimeout: .milliseconds(50), writeTimeout: .milliseconds(50))
        try await withServer(overTLS: false, limits) { server, device in
            let client = try await server.connect()
            try await Task.sleep(for: .milliseconds(500))
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [7]))
            #expect(try await client.receiveFrame().last == 7)
        }
    }

    @Test(arguments: [false, true])
    func `a request that stops half-way costs its client the connection`(overTLS: Bool) async throws {
        try await withServer(overTLS: overTLS, ClientLimits(requestTimeout: .milliseconds(200))) { server, device in
            let (stuck, other) = (try await server.connect(), try await server.connect())
            let request = read(transaction: 1, unit: 1, address: 0, count: 1)
            try await stuck.send(Array(request.prefix(8)))
            #expect(try await stuck.receiveToEnd() == [])
            let line = try await server.running.line(containing: "client closed")
            #expect(line.hasPrefix("warning ") && line.contains("did not finish it within 200ms"), "\(line)")

            try await other.send(request)
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [7]))
            #expect(try await other.receiveFrame().last == 7)
        }
    }

    @Test func `requests that came whole are answered although the next one never ends`() async throws {
        try await withServer(overTLS: false, ClientLimits(requestTimeout: .milliseconds(200))) { server, device in
            let client = try await server.connect()
            let requests = (0..<3).map { read(transaction: $0, unit: 1, address: $0, count: 1) }
            try await client.send(requests.flatMap(\.self) + requests[0].prefix(5))
            let link = try await device.connection()
            try await server.running.line(containing: "client closed", "did not finish it within 200ms")
            // What comes now is no longer heard.
            try await client.send(requests[1])
            for request in requests {
                try await link.send(answer(try await link.receiveFrame(), registers: [7]))
                #expect(try await client.receiveFrame() == answer(request, registers: [7]))
            }
            #expect(try await client.receiveToEnd() == [])
        }
    }

    @Test func `a request that comes byte by byte must come whole in time, too`() async throws {
        try await withServer(
            protocol: .echo,
            limits: ClientLimits(requestTimeout: .milliseconds(300))
        ) { server, _ in
            let client = try await TestPeer.connect(to: server.port)
            let sending = Task {
                for _ in 0..<500 {
                    try await client.send([0x61])
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(try await client.receiveToEnd() == [])
            sending.cancel()
            try await server.line(containing: "client closed", "did not finish it")
        }
    }

    @Test func `a request does not time out while its client's reading is paused`() async throws {
        try await withServer(
            .patient { $0.waitingLimit = 1 },
            limits: ClientLimits(requestTimeout: .milliseconds(200))
        ) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let requests = (0..<4).map { read(transaction: $0, unit: 1, address: $0, count: 1) }
            let bytes = requests.flatMap(\.self)
            try await client.send(Array(bytes.prefix(40)))
            let link = try await device.connection()
            try await Task.sleep(for: .milliseconds(800))
            try await client.send(Array(bytes.dropFirst(40)))
            for index in 0..<4 {
                let request = try await link.receiveFrame()
                try await link.send(answer(request, registers: [UInt16(index)]))
                #expect(try await client.receiveFrame() == answer(requests[index], registers: [UInt16(index)]))
            }
        }
    }

    @Test(
        arguments: [
            "GET / HTTP/1.1\r\nHost: h\r\n",
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nbody",
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbo",
        ]
    )
    func `an HTTP client is told that its request took too long`(part: String) async throws {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(requestTimeout: .milliseconds(200))
        ) { server, _ in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array(part.utf8))
            let answer = String(decoding: try await client.receiveToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"), "\(answer)")
            #expect(answer.contains("\r\nConnection: close\r\n"))
            try await server.line(
                containing: "client refused",
                "only a part of a request in time",
                "'client-request-timeout'"
            )
        }
    }

    @Test func `an HTTP client may be silent between its requests, and wait for leave to send a body`() async throws {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(requestTimeout: .seconds(1))
        ) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let first = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            let second = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".utf8)
            try await client.send(first + second)
            let link = try await device.connection()
            #expect(try await link.receive(first.count) == first)
            try await Task.sleep(for: .milliseconds(1500))
            let response = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
            try await link.send(response)
            let leave = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            #expect(try await client.receive(response.count + leave.count) == response + leave)
            try await client.send(Array("ok".utf8))
            let whole = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok".utf8)
            #expect(try await link.receive(whole.count) == whole)
            try await link.send(response)
            #expect(try await client.receive(response.count) == response)
            try await Task.sleep(for: .milliseconds(1500))
            try await client.send(first)
            // A request with a body is the last of its connection to the device.
            let next = try await device.connection(1)
            #expect(try await next.receive(first.count) == first)
            try await next.send(response)
            #expect(try await client.receive(response.count) == response)
        }
    }

    @Test func `large requests of all clients together take a limited memory, and who sends the most goes first`()
        async throws
    {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(messageMemory: 1 << 20)
        ) { server, device in
            let large = 600 << 10
            func head(_ length: Int) -> [UInt8] {
                Array("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n".utf8)
            }
            func begin(_ length: Int, from source: String) async throws -> TestPeer {
                let client = try await TestPeer.connect(to: server.port, from: source)
                try await client.send(head(length) + [UInt8](repeating: 0x61, count: length - 1))
                // Until it has arrived.
                try await Task.sleep(for: .milliseconds(200))
                return client
            }
            // With whom the connection to the device stays.
            let staying = try await TestPeer.connect(to: server.port)
            // Who needs more than there is goes itself; the device does not hear of it.
            let whole = try await TestPeer.connect(to: server.port)
            whole.channel.writeAndFlush(
                ByteBuffer(bytes: head(2 << 20) + [UInt8](repeating: 0x61, count: 2 << 20)),
                promise: nil
            )
            _ = try await whole.receiveToEnd()
            // Of one address the largest goes, and small requests always find room.
            let hoarders = [
                try await begin(large - 100_000, from: "127.0.0.2"), try await begin(300 << 10, from: "127.0.0.2"),
            ]
            let honest = try await begin(large, from: "127.0.0.3")
            let answer = String(decoding: try await hoarders[0].receiveToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
            try await server.line(containing: "client refused", "other clients' messages", "client=127.0.0.2:")

            let response = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
            let small = try await begin(1 << 10, from: "127.0.0.2")
            for (round, (client, length)) in [(small, 1 << 10), (honest, large)].enumerated() {
                try await client.send([0x61])
                let link = try await device.connection(round)
                _ = try await link.receive(head(length).count + length)
                try await link.send(response)
                #expect(try await client.receive(response.count) == response)
            }
            // And then there is room again.
            let again = try await begin(large, from: "127.0.0.3")
            try await again.send([0x61])
            _ = try await (try await device.connection(2)).receive(large)
            try await hoarders[1].close()
            try await staying.close()
        }
    }

    @Test func `responses that clients do not take count as well`() async throws {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(writeTimeout: .seconds(60), messageMemory: 4 << 20)
        ) { server, device in
            let request = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            let size = 3 << 20
            let response =
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".utf8)
                + [UInt8](repeating: 0x61, count: size)
            var deaf: [TestPeer] = []
            for index in 0..<8 {
                let client = try await TestPeer.connect(to: server.port, from: "127.0.0.2", reads: false)
                try await client.send(request)
                let link = try await device.connection()
                _ = try await link.receive(request.count)
                try await link.send(response)
                deaf.append(client)
                // Each one but the last makes room for the next.
                try await eventually { server.lines(containing: "those of this client the most").count >= index }
            }
            let reader = try await TestPeer.connect(to: server.port, from: "127.0.0.3")
            try await reader.send(request)
            let link = try await device.connection()
            _ = try await link.receive(request.count)
            try await link.send(response)
            #expect(try await reader.receive(response.count) == response)
            for client in deaf { try? await client.close() }
        }
    }

    @Test(arguments: [false, true])
    func `a client that takes nothing of its responses is closed, and its requests with it`(overTLS: Bool) async throws
    {
        try await withSimulatedDevice { devicePort in
            try await withServer(
                overTLS: overTLS,
                ClientLimits(writeTimeout: .milliseconds(500)),
                devicePort: devicePort
            ) { server in
                let deaf = try await server.connect(reads: false)
                let other = try await server.connect()
                try await deaf.ask(5_000)
                let line = try await server.running.line(containing: "client closed")
                #expect(
                    line.hasPrefix("warning ") && line.contains("took nothing of its responses for 500ms"),
                    "\(line)"
                )
                #expect(try await other.exchange(longest).count == 259)
                let statistics = try await server.running.server.statistics()
                #expect(statistics.requests == statistics.ended)
                try? await deaf.close()
            }
        }
    }

    @Test func `a client on a slow line that takes what comes all the time is kept`() async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(
                overTLS: false,
                ClientLimits(writeTimeout: .seconds(2)),
                devicePort: devicePort
            ) { server in
                let slow = try await server.connect(reads: false)
                try await slow.channel.setOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 250))
                    .get()
                try await slow.channel.setOption(.maxMessagesPerRead, value: 1).get()
                try await slow.ask(5_000)
                // 2,500 bytes a second: far longer than the timeout for what the system takes from us at once.
                for _ in 0..<80 {
                    slow.channel.read()
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(server.running.lines(containing: "client closed").isEmpty)
                #expect(server.running.lines(containing: "client left").isEmpty)
                try? await slow.close()
            }
        }
    }

    @Test(arguments: [false, true])
    func `a client that takes a little now and then is kept`(overTLS: Bool) async throws {
        try await withSimulatedDevice { devicePort in
            try await withServer(
                overTLS: overTLS,
                ClientLimits(writeTimeout: .seconds(2)),
                devicePort: devicePort
            ) { server in
                let slow = try await server.connect(reads: false)
                try await slow.ask(5_000)
                for _ in 0..<200 {
                    slow.channel.read()
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(server.running.lines(containing: "client closed").isEmpty)
                #expect(server.running.lines(containing: "client left").isEmpty)
                try? await slow.close()
            }
        }
    }
}

/// The read with the longest response.
private let longest: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 125]

extension TestPeer {
    /// Sends `count` requests, without waiting until they are taken.
    fileprivate func ask(_ count: Int) async throws {
        let requests = (0..<count).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + longest.dropFirst(2) }
        channel.writeAndFlush(ByteBuffer(bytes: requests), promise: nil)
    }
}

/// A server that speaks TLS or not, and how its clients connect.
private struct Scene {
    let running: RunningServer
    let tls: TLSContext?

    func connect(reads: Bool = true) async throws -> TestPeer {
        let peer = try await TestPeer.connect(to: running.port, tls: tls, reads: reads)
        guard tls != nil, !reads else { return peer }
        // The handshake has to be read.
        for _ in 0..<200 where running.lines(containing: "tls=1.").isEmpty {
            peer.channel.read()
            try await Task.sleep(for: .milliseconds(5))
        }
        return peer
    }
}

private func withServer(
    overTLS: Bool,
    _ limits: ClientLimits,
    _ body: (Scene, TestDevice) async throws -> Void
) async throws {
    let device = try await TestDevice.start()
    try await withServer(overTLS: overTLS, limits, devicePort: device.port) { try await body($0, device) }
    try await device.stop()
}

private func withServer(
    overTLS: Bool,
    _ limits: ClientLimits,
    devicePort: Int,
    _ body: (Scene) async throws -> Void
) async throws {
    let certificates = try await DevelopmentCertificates.made()
    try await withServer(
        // Clients ask for the same again and again, and are to be answered at the device's pace.
        .patient { $0.sharesReads = false },
        tls: overTLS ? certificates.server() : nil,
        limits: limits,
        devicePort: devicePort
    ) { running in
        try await body(Scene(running: running, tls: overTLS ? TLSContext(client: certificates.client()) : nil))
    }
}

/// A device that answers at once.
func withSimulatedDevice(_ body: (Int) async throws -> Void) async throws {
    let device = SimulatedDevice(logger: Logger(label: "device") { _ in SwiftLogNoOpLogHandler() })
    let port = try await device.start()
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(try await body(port))
    } catch {
        outcome = .failure(error)
    }
    await device.stop()
    try outcome.get()
}
