import MultiplexerCore
import SecureMux
import Testing

/// Modbus/TCP devices whose headers and contents differ.
@Suite(.timeLimit(.minutes(2))) struct AnnouncedLengthsTests {
    /// Asks for two registers, and gives what comes to the device.
    private func ask(_ client: TestPeer, _ link: TestPeer? = nil, of device: TestDevice) async throws -> [UInt8] {
        try await client.send(read(transaction: 9, unit: 1, address: 0, count: 2))
        if let link { return try await link.receiveFrame() }
        return try await device.connection().receiveFrame()
    }

    @Test func `the last byte may come alone`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let right = answer(try await ask(client, of: device), registers: [3, 0x71])
            let link = try await device.connection()
            try await link.send(right.dropLast())
            try await Task.sleep(for: .milliseconds(200))
            try await link.send(right.suffix(1))
            #expect(try await client.receiveFrame() == [0, 9] + right.dropFirst(2))
        }
    }

    @Test func `a surplus byte in a whole frame is passed on and the connection stays`() async throws {
        try await withServer { server, device in
            let client = try await TestPeer.connect(to: server.port)
            var link: TestPeer?
            for _ in 0..<3 {
                var surplus = answer(try await ask(client, link, of: device), registers: [0x4D89, 0x8610]) + [0x5F]
                surplus[5] += 1
                link = try await device.connection()
                try await link?.send(surplus)
                #expect(try await client.receiveFrame() == [0, 9] + surplus.dropFirst(2))
            }
            #expect(try await device.connections().all == 1)
        }
    }

    // Nobody waits for the rest, and nobody's answer becomes it.
    @Test(arguments: [1, 0x40] as [UInt8])
    func `a header that announces more than comes costs its connection, and the others are asked again`(
        _ more: UInt8
    ) async throws {
        try await withServer(.patient { ($0.inFlightLimit, $0.sharesReads) = (4, false) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(write(transaction: 0, unit: 1, address: 0, value: 7))
            let first = try await device.connection()
            var wrong = try await first.receiveFrame()
            wrong[5] += more
            let others = try await askOthers(server.port)
            for _ in others { _ = try await first.receiveFrame() }
            try await first.send(wrong)
            #expect(try await client.receiveFrame() == [0, 0, 0, 0, 0, 3, 1, 0x86, 0x0B])
            #expect(try await first.receiveToEnd().isEmpty)
            let next = try await device.connection(1)
            for _ in others {
                let request = try await next.receiveFrame()
                try await next.send(answer(request, registers: [UInt16(request[9])]))
            }
            for (address, other) in others.enumerated() {
                #expect(try await other.receiveFrame().last == UInt8(address))
            }
        }
    }

    /// Clients that have each asked for a register of their own.
    private func askOthers(_ port: Int) async throws -> [TestPeer] {
        var others: [TestPeer] = []
        for address in 0..<3 as Range<UInt8> {
            let other = try await TestPeer.connect(to: port)
            try await other.send(read(transaction: 5, unit: 1, address: address, count: 1))
            others.append(other)
        }
        return others
    }
}
