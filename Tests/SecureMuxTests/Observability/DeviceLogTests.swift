import MultiplexerCore
import NIOCore
import SecureMux
import Testing

/// What the log says of requests: whose they are, and what became of them.
@Suite(.timeLimit(.minutes(2))) struct DeviceLogTests {
    private static let impatient = Multiplexer.Configuration.patient { $0.responseTimeout = .milliseconds(200) }

    @Test func `a request that times out is named, and that the device answers again is said`() async throws {
        try await withServer(Self.impatient) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let request = read(transaction: 1, unit: 7, address: 40, count: 2)
            #expect(try await client.exchange(request) == [0, 1, 0, 0, 0, 3, 7, 0x83, 0x0B])
            let line = try await server.line(containing: "warning the device did not answer in time")
            #expect(line.contains(" client=\(try client.address) "))
            #expect(line.contains(" request=unit 7: read holding registers (3), address 40, quantity 2 "))
            #expect(server.lines(containing: "answers again").isEmpty)

            let link = try await device.connection()
            _ = try await link.receiveFrame()
            try await client.send(request)
            try await link.send(answer(try await link.receiveFrame(), registers: [1, 2]))
            _ = try await client.receiveFrame()
            try await server.line(containing: "notice the device answers again")
        }
    }

    @Test func `an HTTP request that times out is named by method and target`() async throws {
        try await withServer(Self.impatient, protocol: .http) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("GET /status HTTP/1.1\r\nHost: gadget\r\n\r\n".utf8))
            #expect(try await client.receive(12) == Array("HTTP/1.1 504".utf8))
            try await server.line(
                containing: "the device did not answer in time",
                "client=\(try client.address) ",
                "request=GET /status "
            )
        }
    }

    // The ids of requests are used again, and the client may have gone before the device's time is up.
    @Test func `a request whose client has left is not taken for that of another`() async throws {
        // Long enough to leave in time on a busy machine.
        try await withServer(.patient { $0.responseTimeout = .seconds(2) }) { server, device in
            let leaving = try await TestPeer.connect(to: server.port)
            try await leaving.send(read(transaction: 1, unit: 7, address: 40, count: 2))
            _ = try await device.connection().receiveFrame()
            try await leaving.close()
            try await server.line(containing: "client left")
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 9, address: 50, count: 1))
            try await server.line(containing: "debug request asks=unit 9")
            let line = try await server.line(containing: "the device did not answer in time")
            #expect(line.contains(" request=that of a client that has left "))
            #expect(!line.contains("client="))
            // Its own time-out names it.
            #expect(try await client.receiveFrame().suffix(2) == [0x83, 0x0B])
            try await server.line(containing: "the device did not answer in time", "request=unit 9")
        }
    }

    @Test func `a request that hangs the device up is named by who is left of those that asked`() async throws {
        try await withServer { server, device in
            let leaving = try await TestPeer.connect(to: server.port)
            let other = try await TestPeer.connect(to: server.port)
            for round in 0..<2 {
                try await leaving.send(write(transaction: 1, unit: 7, address: 40, value: 2))
                let link = try await device.connection(round)
                _ = try await link.receiveFrame()
                if round == 1 {
                    try await leaving.close()
                    try await server.line(containing: "client left")
                    try await other.send(write(transaction: 1, unit: 9, address: 50, value: 1))
                    try await server.line(containing: "debug request asks=unit 9")
                }
                try await link.close()
                if round == 0 { _ = try await leaving.receiveFrame() }
            }
            try await server.line(containing: "each time that it was asked this", "that of a client that has left")
            #expect(server.lines(containing: "each time that it was asked this").allSatisfy { !$0.contains("unit 9") })
        }
    }

    @Test func `a request whose time is up is named`() async throws {
        let configuration = Multiplexer.Configuration.patient {
            ($0.queueTimeout, $0.responseTimeout) = (.milliseconds(200), .milliseconds(200))
            // So the time of its answer begins later than its own.
            $0.delayAfterConnect = .milliseconds(100)
        }
        try await withServer(configuration) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            #expect(try await client.exchange(read(transaction: 1, unit: 7, address: 40, count: 2)).last == 0x0B)
            try await server.line(
                containing: "a request took longer than the queue timeout",
                "client=\(try client.address) ",
                "request=unit 7: read holding registers (3), address 40, quantity 2 "
            )
        }
    }

    @Test func `an exception of the device is told as such, not as an answer`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 7, address: 40, count: 2))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            try await link.send([request[0], request[1], 0, 0, 0, 3, 7, 0x83, 0x02])
            #expect(try await client.receiveFrame() == [0, 1, 0, 0, 0, 3, 7, 0x83, 0x02])
            try await server.line(containing: "debug exception", "code=illegal data address (0x02)")
            #expect(server.lines(containing: "debug answered").isEmpty)
        }
    }
}

extension TestPeer {
    /// Where it comes from, as the log says it.
    fileprivate var address: String {
        get throws {
            let port = try #require(channel.localAddress?.port)
            return "127.0.0.1:\(port)"
        }
    }
}
