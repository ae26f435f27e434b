import MultiplexerCore
import NIOCore
import SecureMux
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What becomes of requests whose connection to the device ends.
@Suite struct LostConnectionsTests {
    @Test func `a read whose connection ends is sent once more, and its client knows nothing of it`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 2, unit: 1, address: 0, count: 1))
            for round in 0..<20 {
                let link = try await device.connection(round)
                let request = try await link.receiveFrame()
                // Once it has answered, so that the next connection is opened at once.
                if round > 0 {
                    try await link.send(answer(request, registers: [UInt16(round)]))
                    #expect(try await client.receiveFrame().last == UInt8(round))
                    try await client.send(read(transaction: 2, unit: 1, address: 0, count: 1))
                    _ = try await link.receiveFrame()
                }
                try await link.close()
            }
            try await eventually { try await server.server.statistics().sentAgain == 20 }
            #expect(try await device.connections().mostAtOnce == 1)
        }
    }

    @Test func `a read of whose answer a part has come fails`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [1]))
            _ = try await client.receiveFrame()
            try await client.send(read(transaction: 2, unit: 1, address: 0, count: 1))
            try await link.send(Array(answer(try await link.receiveFrame(), registers: [1]).prefix(8)))
            try await link.close()
            #expect(try await client.receiveFrame() == [0, 2, 0, 0, 0, 3, 1, 0x83, 0x0B])
            #expect(try await server.server.statistics().sentAgain == 0)
        }
    }

    // The client's write is read before the end of the device's connection is seen, and then cannot be sent.
    @Test func `a write that finds its connection reset is sent on the next one`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [1]))
            _ = try await client.receiveFrame()
            let socket = try #require(link.channel as? any SocketOptionProvider)
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            try await server.log.standingStill(atLineContaining: "client connected") {
                _ = try await TestPeer.connect(to: server.port)
                try await client.send(write(transaction: 2, unit: 1, address: 0, value: 7))
                try await link.close()
                try await Task.sleep(for: .milliseconds(50))
            }
            let next = try await device.connection(1)
            let request = try await next.receiveFrame()
            #expect(request.suffix(6) == [1, 6, 0, 0, 0, 7])
            try await next.send(request)
            #expect(try await client.receiveFrame() == write(transaction: 2, unit: 1, address: 0, value: 7))
            #expect(try await server.server.statistics().sentAgain == 1)
        }
    }

    // What held the loop up is not the device's fault.
    @Test func `an answer that came in time counts though the event loop stood still`() async throws {
        try await withServer(.patient { $0.responseTimeout = .seconds(2) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            try await server.log.standingStill(atLineContaining: "client connected") {
                _ = try await TestPeer.connect(to: server.port)
                try await link.send(answer(request, registers: [5]))
                try await Task.sleep(for: .seconds(3))
            }
            #expect(try await client.receiveFrame().last == 5)
        }
    }

    @Test func `a connection that is idle is closed and opened again for the next request`() async throws {
        try await withServer(.patient { $0.idleClose = .milliseconds(50) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            for index in 0..<2 {
                try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
                let link = try await device.connection(index)
                try await link.send(answer(try await link.receiveFrame(), registers: [5]))
                #expect(try await client.receiveFrame().last == 5)
                #expect(try await link.receiveToEnd().isEmpty)
            }
        }
    }

    @Test func `a connection outlasts its last client by the linger time`() async throws {
        try await withServer(.patient { $0.linger = .seconds(60) }) { server, device in
            let first = try await TestPeer.connect(to: server.port)
            try await first.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [4]))
            #expect(try await first.receiveFrame().last == 4)
            try await first.close()
            try await eventually { server.log.lines.contains { $0.contains("client left") } }
            let second = try await TestPeer.connect(to: server.port)
            try await second.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            try await link.send(answer(try await link.receiveFrame(), registers: [5]))
            #expect(try await second.receiveFrame().last == 5)
            #expect(try await device.connections().all == 1)
        }
    }

    // Trap T23, and demand 1: the device closes while it is left alone, which is nobody's failed request.
    @Test func `a device that closes during the delay after connect costs no request`() async throws {
        try await withServer(.patient { $0.delayAfterConnect = .seconds(2) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            for round in 0..<2 { try await device.connection(round).close() }
            let link = try await device.connection(2)
            try await link.send(answer(try await link.receiveFrame(), registers: [5]))
            #expect(try await client.receiveFrame().last == 5)
        }
    }
}
