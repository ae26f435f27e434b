import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// The whole transport on real sockets: clients and device are played by the tests.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ServerTests {
    @Test func `clients with the same transaction id each get their own response`() async throws {
        try await withServer { server, device in
            let clients = [try await TestPeer.connect(to: server.port), try await TestPeer.connect(to: server.port)]
            for (index, client) in clients.enumerated() {
                try await client.send(read(transaction: 1, unit: 1, address: UInt8(index), count: 1))
            }
            let link = try await device.connection()
            for _ in clients {
                let request = try await link.receiveFrame()
                try await link.send(answer(request, registers: [UInt16(request[9]) + 100]))
            }
            #expect(try await clients[0].receiveFrame() == [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 100])
            #expect(try await clients[1].receiveFrame() == [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 101])
        }
    }

    @Test func `requests that arrive together, and byte by byte, are all answered`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let requests = (0..<5).map { read(transaction: 7, unit: 1, address: $0, count: 1) }
            try await client.send(requests.flatMap { $0 })
            let link = try await device.connection()
            for byte in read(transaction: 7, unit: 1, address: 5, count: 1) { try await client.send([byte]) }
            for expected in 0..<6 as Range<UInt16> {
                let request = try await link.receiveFrame()
                #expect(request[9] == UInt8(expected))
                try await link.send(answer(request, registers: [expected]))
                #expect(try await client.receiveFrame() == [0, 7, 0, 0, 0, 5, 1, 3, 2, 0, UInt8(expected)])
            }
        }
    }

    @Test func `the device has one request at a time, and 16 where it may have more`() async throws {
        for limit in [1, 16] {
            try await withServer(
                .patient {
                    $0.inFlightLimit = limit; $0.drainTimeout = .milliseconds(100)
                }
            ) {
                server,
                device in
                let client = try await TestPeer.connect(to: server.port)
                try await client.send((0..<20).flatMap { read(transaction: $0, unit: 1, address: $0, count: 1) })
                let link = try await device.connection()
                var sent: [[UInt8]] = []
                for _ in 0..<limit { sent.append(try await link.receiveFrame()) }
                await #expect(throws: TestTimeout.self) { try await link.receive(1, within: .milliseconds(100)) }
                #expect(Set(sent.map { [$0[0], $0[1]] }).count == limit)
                // Answered in another order than asked.
                for request in sent.reversed() { try await link.send(answer(request, registers: [0])) }
                let first = try await client.receiveFrame()
                #expect(first[1] == UInt8(limit - 1))
            }
        }
    }

    @Test func `a late, a foreign and a doubled response go to nobody`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 9, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            var foreign = answer(request, registers: [1])
            foreign[1] &+= 1
            let right = answer(request, registers: [3])
            try await link.send(foreign + right + right)
            #expect(try await client.receiveFrame().last == 3)
            try await client.send(read(transaction: 10, unit: 1, address: 0, count: 1))
            let next = try await link.receiveFrame()
            try await link.send(answer(next, registers: [4]))
            #expect(try await client.receiveFrame() == [0, 10, 0, 0, 0, 5, 1, 3, 2, 0, 4])
            #expect(try await server.server.statistics().strays == 2)
        }
    }

    @Test func `a device's exception is passed on as it is`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 3, unit: 5, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            try await link.send([request[0], request[1], 0, 0, 0, 3, 5, 0x83, 2])
            #expect(try await client.receiveFrame() == [0, 3, 0, 0, 0, 3, 5, 0x83, 2])
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `a silent device costs its asker exception 0x0B, and the client stays`() async throws {
        let configuration = Multiplexer.Configuration(responseTimeout: .seconds(1))
        try await withServer(configuration) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            #expect(
                try await client.exchange(read(transaction: 4, unit: 1, address: 0, count: 1)) == [
                    0, 4, 0, 0, 0, 3, 1, 0x83, 0x0B,
                ]
            )
            let link = try await device.connection()
            _ = try await link.receiveFrame()
            try await client.send(read(transaction: 5, unit: 1, address: 0, count: 1))
            try await link.send(answer(try await link.receiveFrame(), registers: [6]))
            #expect(try await client.receiveFrame().last == 6)
        }
    }

    @Test func `without a device requests get exception 0x0A at once, and values once it is back`() async throws {
        let configuration = Multiplexer.Configuration.patient { $0.backoff = Backoff(initial: .milliseconds(200)) }
        let device = try await TestDevice.start()
        let port = device.port
        try await device.stop()
        try await withServer(configuration, devicePort: port) { server in
            let client = try await TestPeer.connect(to: server.port)
            for transaction in 1...3 {
                let response = try await client.exchange(
                    read(transaction: UInt8(transaction), unit: 1, address: 0, count: 1)
                )
                #expect(response == [0, UInt8(transaction), 0, 0, 0, 3, 1, 0x83, 0x0A])
            }
            let returned = try await TestDevice.start(port: port)
            let link = try await returned.connection()
            try await client.send(read(transaction: 4, unit: 1, address: 0, count: 1))
            try await link.send(answer(try await link.receiveFrame(), registers: [7]))
            #expect(try await client.receiveFrame().last == 7)
            try await returned.stop()
        }
    }

    @Test func `a connection that breaks fails what is in flight, and never two stand at once`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            for round in 0..<30 {
                try await client.send(write(transaction: 1, unit: 1, address: 0, value: 5))
                let link = try await device.connection(round)
                try await link.send(try await link.receiveFrame())
                #expect(try await client.receiveFrame() == write(transaction: 1, unit: 1, address: 0, value: 5))
                try await client.send(write(transaction: 2, unit: 1, address: 0, value: 7))
                _ = try await link.receiveFrame()
                try await link.close()
                #expect(try await client.receiveFrame() == [0, 2, 0, 0, 0, 3, 1, 0x86, 0x0B])
            }
            #expect(try await device.connections().mostAtOnce == 1)
        }
    }

    @Test func `requests of a client that left are not sent, and the one in flight does not disturb others`()
        async throws
    {
        try await withServer { server, device in
            let leaving = try await TestPeer.connect(to: server.port)
            let staying = try await TestPeer.connect(to: server.port)
            try await leaving.send((0..<3).flatMap { read(transaction: $0, unit: 1, address: 50, count: 1) })
            let link = try await device.connection()
            let inFlight = try await link.receiveFrame()
            try await leaving.close()
            try await staying.send(read(transaction: 8, unit: 1, address: 60, count: 1))
            try await eventually { try await server.server.statistics().abandoned == 3 }
            try await link.send(answer(inFlight, registers: [1]))
            let next = try await link.receiveFrame()
            #expect(next[9] == 60)
            try await link.send(answer(next, registers: [2]))
            #expect(try await staying.receiveFrame() == [0, 8, 0, 0, 0, 5, 1, 3, 2, 0, 2])
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `garbage closes its sender alone`() async throws {
        try await withServer { server, device in
            let bystander = try await TestPeer.connect(to: server.port)
            for garbage: [UInt8] in [
                [0, 1, 0, 9, 0, 6, 1, 3], [0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0xFF, 0xFF, 1],
                Array("GET / HTTP/1.1\r\n\r\n".utf8),
            ] {
                let client = try await TestPeer.connect(to: server.port)
                try await client.send(garbage)
                #expect(try await client.receiveToEnd() == [])
            }
            try await bystander.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [5]))
            #expect(try await bystander.receiveFrame().last == 5)
        }
    }

    @Test(arguments: ["modbus", "echo"])
    func `TLS spoken to a plain listener is refused in words`(_ name: String) async throws {
        try await withServer(protocol: try #require(.named(name))) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC])
            #expect(try await client.receiveToEnd() == [])
            #expect(server.log.lines.contains { $0.contains("client refused") && $0.contains("speaks TLS") })
        }
    }

    @Test func `addresses that are not on the allow-list are closed before they are read`() async throws {
        try await withServer(allow: ["192.0.2.0/24"]) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            #expect(try await client.receiveToEnd() == [])
            #expect(try await device.connections().all == 0)
            #expect(server.log.lines.contains { $0.contains("client refused") && $0.contains("not on the allow-list") })
        }
    }

    @Test func `an IPv4 client of a dual-stack listener matches an IPv4 entry`() async throws {
        try await withServer(allow: ["127.0.0.0/8"], host: nil) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [5]))
            #expect(try await client.receiveFrame().last == 5)
        }
    }

    @Test func `a client that floods is not read from until its queue has room`() async throws {
        let configuration = Multiplexer.Configuration.patient { $0.waitingLimit = 4 }
        try await withServer(configuration) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send((0..<200).flatMap { read(transaction: $0, unit: 1, address: $0, count: 1) })
            let link = try await device.connection()
            let first = try await link.receiveFrame()
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await server.server.statistics().requests <= 6)
            try await link.send(answer(first, registers: [0]))
            for expected in 1..<200 {
                let request = try await link.receiveFrame()
                #expect(request[9] == UInt8(expected))
                try await link.send(answer(request, registers: [0]))
            }
            for expected in 0..<200 { #expect(try await client.receiveFrame()[1] == UInt8(expected)) }
        }
    }

    @Test func `a client that is read from again is paused again when its queue is full`() async throws {
        let configuration = Multiplexer.Configuration.patient { $0.waitingLimit = 4 }
        try await withServer(configuration) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send((0..<200).flatMap { read(transaction: $0, unit: 1, address: $0, count: 1) })
            let link = try await device.connection()
            for answered in 1..<100 {
                try await link.send(answer(try await link.receiveFrame(), registers: [0]))
                _ = try await client.receiveFrame()
                #expect(try await server.server.statistics().requests <= answered + 6)
            }
        }
    }

    @Test func `a device that closes idle connections is not taken for one that fails`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            // What is in use is opened again at once, and then ends without having been asked anything.
            for round in 0..<4 {
                try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
                let link = try await device.connection(2 * round)
                try await link.send(answer(try await link.receiveFrame(), registers: [5]))
                #expect(try await client.receiveFrame().last == 5)
                try await link.close()
                try await device.connection(2 * round + 1).close()
                try await eventually { server.log.lines.filter { $0.contains("idle connection ended") }.count > round }
            }
        }
    }

    @Test func `lines that come before they were asked for are given to nobody`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let asking = try await TestPeer.connect(to: server.port)
            let waiting = try await TestPeer.connect(to: server.port)
            try await asking.send(Array("first\n".utf8))
            let link = try await device.connection()
            _ = try await link.receive(6)
            try await waiting.send(Array("second\n".utf8))
            try await eventually { try await server.server.statistics().requests == 2 }
            try await link.send(Array("one\none\n".utf8))
            #expect(try await asking.receiveToEnd() == [])
            let next = try await device.connection(1)
            #expect(try await next.receive(7) == Array("second\n".utf8))
            try await next.send(Array("two\n".utf8))
            #expect(try await waiting.receive(4) == Array("two\n".utf8))
        }
    }

    @Test func `a drain answers what is in flight, fails what waits, and closes everyone`() async throws {
        try await withServer(.patient { $0.drainTimeout = .seconds(60) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send((1...3).flatMap { read(transaction: $0, unit: 1, address: $0, count: 1) })
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            async let drained: Void = server.server.drain()
            try await eventually { try await server.server.statistics().drained == 2 }
            try await link.send(answer(request, registers: [9]))
            await drained
            let received = try await client.receiveToEnd()
            #expect(received.count == 11 + 9 + 9)
            #expect(received.suffix(11) == [0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 9])
            await #expect(throws: (any Error).self) { _ = try await TestPeer.connect(to: server.port) }
        }
    }

    @Test func `a drain ends although the device stays silent`() async throws {
        let configuration = Multiplexer.Configuration.patient { $0.drainTimeout = .milliseconds(200) }
        try await withServer(configuration) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            _ = try await link.receiveFrame()
            let duration = await ContinuousClock().measure { await server.server.drain() }
            #expect(duration < .seconds(4))
            #expect(try await client.receiveToEnd() == [0, 1, 0, 0, 0, 3, 1, 0x83, 0x0B])
        }
    }

    @Test func `lines are answered even to a client that has ended its sending`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("one\ntwo\r\nrest".utf8))
            try await client.channel.close(mode: .output)
            let link = try await device.connection()
            #expect(try await link.receive(4) == Array("one\n".utf8))
            try await link.send(Array("eno\n".utf8))
            #expect(try await link.receive(5) == Array("two\r\n".utf8))
            try await link.send(Array("owt\r\n".utf8))
            #expect(try await client.receiveToEnd() == Array("eno\nowt\r\n".utf8))
        }
    }

    @Test func `without transaction ids a timeout replaces the connection before the next request`() async throws {
        try await withServer(.init(responseTimeout: .seconds(1)), protocol: .echo) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("first\n".utf8))
            let link = try await device.connection()
            _ = try await link.receive(6)
            try await link.send(Array("right\n".utf8))
            #expect(try await client.receive(6) == Array("right\n".utf8))
            try await client.send(Array("silence\n".utf8))
            _ = try await link.receive(8)
            #expect(try await client.receiveToEnd() == [])
            try? await link.send(Array("late\n".utf8))
            let other = try await TestPeer.connect(to: server.port)
            try await other.send(Array("second\n".utf8))
            let next = try await device.connection(1)
            #expect(try await next.receive(7) == Array("second\n".utf8))
            try await next.send(Array("right\n".utf8))
            #expect(try await other.receive(6) == Array("right\n".utf8))
            #expect(try await device.connections().mostAtOnce == 1)
        }
    }

    @Test func `a port in use is named`() async throws {
        try await withServer { server, device in
            let configuration = try ServerConfiguration(
                device: DeviceAddress(checked: "127.0.0.1", port: 1),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: server.port))]
            )
            let error = await #expect(throws: ServerError.self) {
                _ = try await Server.start(configuration, logger: server.log.logger)
            }
            #expect(error?.description.contains("port \(server.port) is in use") == true)
        }
    }

    @Test func `an unprotected listener that others can reach starts with a warning`() async throws {
        for (host, allow, expected) in [(nil, [], true), ("127.0.0.1", [], false), (nil, ["127.0.0.1"], false)]
            as [(String?, [String], Bool)]
        {
            try await withServer(allow: allow, host: host) { server, device in
                #expect(server.log.lines.contains { $0.hasPrefix("warning anyone who reaches") } == expected)
            }
        }
    }
}

// MARK: - Playing server, client and device
