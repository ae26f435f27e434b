import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// Clients and device that frame their messages differently, on real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TranslationTests {
    /// Read one register at 0 of unit 1, and its response, without an envelope.
    let question: [UInt8] = [1, 3, 0, 0, 0, 1]
    let answer: [UInt8] = [1, 3, 2, 0x12, 0x34]

    @Test func `clients of Modbus TCP share a device that speaks RTU`() async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let clients = [try await TestPeer.connect(to: server.port), try await TestPeer.connect(to: server.port)]
            for (id, client) in zip(1..., clients) {
                try await client.send(tcp(id, question))
                let link = try await device.connection()
                #expect(try await link.receive(8) == rtu(question))
                try await link.send(rtu(answer))
                #expect(try await client.receiveFrame() == tcp(id, answer))
            }
        }
    }

    @Test func `clients of RTU share a device that speaks Modbus TCP, each in its own order`() async throws {
        try await withServer(.patient { $0.inFlightLimit = 16 }, protocol: .modbus, clients: .modbusSerial) {
            server,
            device in
            let clients = [try await TestPeer.connect(to: server.port), try await TestPeer.connect(to: server.port)]
            let other: [UInt8] = [2, 6, 0, 0, 0, 1]
            try await clients[0].send(rtu(question) + rtu(other))
            let link = try await device.connection()
            try await clients[1].send(rtu(other))
            let first = try await link.receiveFrame()
            let second = try await link.receiveFrame()
            #expect(first[6...] == question[...])
            #expect(second[6...] == other[...])
            // The other client's answer overtakes, its own second one cannot.
            try await link.send(second)
            #expect(try await clients[1].receive(8) == rtu(other))
            try await link.send(tcp(respondingTo: first, answer))
            #expect(try await clients[0].receive(7) == rtu(answer))
            let third = try await link.receiveFrame()
            try await link.send(third)
            #expect(try await clients[0].receive(8) == rtu(other))
        }
    }

    @Test func `the checksum in a Modbus TCP frame is checked and made`() async throws {
        try await withServer(protocol: .modbusRTU, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(tcp(7, question))
            let link = try await device.connection()
            let asked = try await link.receiveFrame()
            #expect(asked[4...] == [0, 8] + rtu(question)[...])
            try await link.send([asked[0], asked[1], 0, 0, 0, 7] + rtu(answer))
            #expect(try await client.receiveFrame() == tcp(7, answer))
        }
    }

    // Trap T10: restored from the request, since a map has no inverse.
    @Test func `each client gets back the unit id that it asked for`() async throws {
        try await withServer(protocol: .modbus, unitMap: UnitMap([1: 0, 2: 0])) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            for unit: UInt8 in [1, 2, 0, 3] {
                try await client.send(tcp(9, [unit, 3, 0, 0, 0, 1]))
                let link = try await device.connection()
                let asked = try await link.receiveFrame()
                #expect(asked[6] == (unit == 3 ? 3 : 0))
                try await link.send([asked[0], asked[1], 0, 0, 0, 5, asked[6], 3, 2, 0, unit])
                #expect(try await client.receiveFrame() == tcp(9, [unit, 3, 2, 0, unit]))
            }
        }
    }

    // Trap T32.
    @Test func `a broadcast on a serial wire is sent, answered to nobody, and the next request follows`() async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let broadcast: [UInt8] = [0, 6, 0, 1, 0, 2]
            try await client.send(tcp(1, broadcast) + tcp(2, question))
            let link = try await device.connection()
            #expect(try await link.receive(8) == rtu(broadcast))
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(rtu(answer))
            #expect(try await client.receiveFrame() == tcp(2, answer))
        }
    }

    @Test func `a broadcast of a serial client is answered by nobody, although a Modbus TCP device answers it`()
        async throws
    {
        try await withServer(protocol: .modbus, clients: .modbusSerial) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(rtu([0, 6, 0, 1, 0, 2]) + rtu(question))
            let link = try await device.connection()
            let broadcast = try await link.receiveFrame()
            #expect(broadcast[6...] == [0, 6, 0, 1, 0, 2])
            try await link.send(broadcast)
            let asked = try await link.receiveFrame()
            try await link.send(tcp(respondingTo: asked, answer))
            #expect(try await client.receive(7) == rtu(answer))
        }
    }

    // It is well, and says that it is no broadcast to it.
    @Test func `a serial device that answers a broadcast is kept, and the log has the remedy`() async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let broadcast: [UInt8] = [0, 6, 0, 1, 0, 2]
            for id in 1...2 {
                try await client.send(tcp(id, broadcast) + tcp(id, question))
                let link = try await device.connection()
                #expect(try await link.receive(8) == rtu(broadcast))
                try await link.send(rtu(broadcast))
                #expect(try await link.receive(8) == rtu(question))
                try await link.send(rtu(answer))
                #expect(try await client.receiveFrame() == tcp(id, answer))
            }
            #expect(try await device.connections().all == 1)
            #expect(server.log.lines.contains { $0.contains("remedy=give 'broadcast' off") })
        }
    }

    @Test func `the same protocol with other settings is another protocol`() throws {
        let wide = ApplicationProtocol.lengthPrefixed(prefix: try LengthPrefix(lengthBytes: 4))
        #expect(ApplicationProtocol.lengthPrefixed.translated(to: wide) == nil)
        #expect(wide.translated(to: wide) != nil)
        let etx = try ApplicationProtocol.delimited(by: [3], maximumLength: nil)
        #expect(ApplicationProtocol.delimited.translated(to: etx) == nil)
    }

    @Test func `unit 0 is a unit like others where broadcasts are switched off`() async throws {
        let wire = ApplicationProtocol.modbusSerial.broadcasting(unit0: false)
        try await withServer(protocol: wire, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(tcp(1, [0] + question.dropFirst()))
            let link = try await device.connection()
            #expect(try await link.receive(8) == rtu([0] + question.dropFirst()))
            try await link.send(rtu([0] + answer.dropFirst()))
            #expect(try await client.receiveFrame() == tcp(1, [0] + answer.dropFirst()))
        }
    }

    // Trap T3.
    @Test func `a damaged answer costs its request alone, and what follows until the line is silent`() async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let order: [UInt8] = [1, 6, 0, 0, 0, 7]
            try await client.send(tcp(1, order) + tcp(2, question))
            let link = try await device.connection()
            #expect(try await link.receive(8) == rtu(order))
            var damaged = rtu(order)
            damaged[3] ^= 0x40
            try await link.send(damaged)
            // The rest of the noise looks like an answer; it belongs to nobody.
            try await link.send(rtu(order))
            #expect(try await client.receiveFrame() == tcp(1, [1, 0x86, 0x0B]))
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(rtu(answer))
            #expect(try await client.receiveFrame() == tcp(2, answer))
            #expect(try await device.connections().all == 1)
            #expect(server.log.lines.contains { $0.contains("came damaged") })
        }
    }

    @Test func `a read whose answer came damaged is asked once more`() async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(tcp(1, question))
            let link = try await device.connection()
            #expect(try await link.receive(8) == rtu(question))
            var damaged = rtu(answer)
            damaged[3] ^= 0x40
            try await link.send(damaged)
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(rtu(answer))
            #expect(try await client.receiveFrame() == tcp(1, answer))
        }
    }

    // On Modbus/TCP a header says how long a request is; on a serial wire the request itself does.
    @Test(
        arguments: [
            [1, 3, 0, 0, 0, 1, 0x84, 0x0A, 1, 6, 0, 0, 0, 5], [1, 16, 0, 0, 0xFF, 0xFE, 4, 0, 0, 0, 0],
            [1, 16, 0, 0, 0, 2, 2, 0, 0], [1, 3, 0, 0, 0], [1, 3, 0, 0, 0, 1, 0], [1, 23, 0, 0, 0, 1, 0, 0, 0, 3, 255],
        ] as [[UInt8]]
    )
    func `a request that a serial device could take for two is not sent`(_ malformed: [UInt8]) async throws {
        try await withServer(protocol: .modbusSerial, clients: .modbus) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(tcp(1, malformed) + tcp(2, question))
            let link = try await device.connection()
            #expect(try await client.receiveFrame() == tcp(1, [1, malformed[1] | 0x80, 3]))
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(rtu(answer))
            #expect(try await client.receiveFrame() == tcp(2, answer))
            #expect(server.log.lines.contains { $0.contains("refused a request") && $0.contains("client=127.0.0.1") })
        }
    }

    @Test func `a response that a serial client could take for two becomes a failure`() async throws {
        try await withServer(protocol: .modbus, clients: .modbusSerial) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(rtu(question) + rtu(question))
            let link = try await device.connection()
            var asked = try await link.receiveFrame()
            try await link.send(tcp(respondingTo: asked, answer + answer))
            #expect(try await client.receive(5) == rtu([1, 0x83, 0x0B]))
            asked = try await link.receiveFrame()
            try await link.send(tcp(respondingTo: asked, answer))
            #expect(try await client.receive(7) == rtu(answer))
            #expect(server.log.lines.contains { $0.contains("dropped a response whose length") })
        }
    }

    // Its first bytes are those of a TLS record.
    @Test(arguments: [0x0001, 0x0100, 0x0301, 0x04FF] as [UInt16])
    func `a request of unit 22 is not taken for TLS`(_ address: UInt16) async throws {
        try await withServer(protocol: .modbusSerial) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let request = rtu([22, 3, UInt8(address >> 8), UInt8(address & 0xFF), 0, 1])
            for byte in request { try await client.send([byte]) }
            let link = try await device.connection()
            #expect(try await link.receive(8) == request)
            try await link.send(rtu([22, 3, 2, 0, 7]))
            #expect(try await client.receive(7) == rtu([22, 3, 2, 0, 7]))
        }
    }

    @Test func `protocols whose messages differ are refused in words`() async throws {
        let error = await #expect(throws: ConfigurationError.self) {
            try await withServer(protocol: .modbus, clients: .echo) { _, _ in }
        }
        #expect(error?.description.contains("echo") == true)
        #expect(error?.description.contains("modbus") == true)
    }

    private func rtu(_ message: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        ModbusRTUFraming().seal(message.span, transactionID: 0, into: &frame)
        return frame
    }

    private func tcp(_ id: Int, _ message: [UInt8]) -> [UInt8] {
        [0, UInt8(id), 0, 0, 0, UInt8(message.count)] + message
    }

    /// A frame with the transaction id of another.
    private func tcp(respondingTo frame: [UInt8], _ message: [UInt8]) -> [UInt8] {
        frame.prefix(2) + [0, 0, 0, UInt8(message.count)] + message
    }
}
