import MultiplexerCore
import SecureMux
import Testing

/// Messages that begin before the request that they seem to answer, on wires without transaction ids.
@Suite(.timeLimit(.minutes(2))) struct EarlyMessagesTests {
    /// A wire: a request, the two parts of a message that is none of its answers, and its answer.
    struct Wire: CustomTestStringConvertible, Sendable {
        let spoken: ApplicationProtocol
        let request: [UInt8]
        let early: [UInt8]
        let late: [UInt8]
        let answer: [UInt8]
        var testDescription: String { spoken.name }
    }

    static let wires = [
        Wire(
            spoken: .echo,
            request: Array("REQ\n".utf8),
            early: Array("unsol".utf8),
            late: Array("icited\n".utf8),
            answer: Array("answer\n".utf8)
        ),
        Wire(
            spoken: .iso8583,
            request: [0, 6] + Array("0200 a".utf8),
            early: [0, 6] + Array("021".utf8),
            late: Array("0 b".utf8),
            answer: [0, 6] + Array("0210 a".utf8)
        ),
        Wire(
            spoken: .modbusSerial,
            request: [1, 3, 0, 0, 0, 1, 0x84, 0x0A],
            early: [1, 3, 2],
            late: [0xDE, 0xAD, 0x20, 0x59],
            answer: [1, 3, 2, 0, 7, 0xF9, 0x86]
        ),
    ]

    @Test(arguments: wires)
    func `what began before a request was sent does not answer it`(_ wire: Wire) async throws {
        try await withServer(protocol: wire.spoken) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(wire.request)
            let link = try await device.connection()
            #expect(try await link.receive(wire.request.count) == wire.request)
            try await link.send(wire.answer)
            #expect(try await client.receive(wire.answer.count) == wire.answer)

            try await link.send(wire.early)
            try await Task.sleep(for: .milliseconds(100))
            let next = try await TestPeer.connect(to: server.port)
            try await next.send(wire.request)
            #expect(try await link.receive(wire.request.count) == wire.request)
            try await link.send(wire.late + wire.answer)
            // Closed, or told that there is no answer.
            let told = wire.spoken.messages == .modbus ? try await next.receive(5) : try await next.receiveToEnd()
            #expect(told == (wire.spoken.messages == .modbus ? [1, 0x83, 0x0B, 0x00, 0xF7] : []))
            #expect(try await link.receiveToEnd().isEmpty)
        }
    }

    // A device that prompts is left alone meanwhile, and the prompt is no answer.
    @Test func `half a greeting during the delay after connecting answers nothing`() async throws {
        try await withServer(.patient { $0.delayAfterConnect = .seconds(2) }, protocol: .echo) {
            server,
            device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("who\n".utf8))
            let link = try await device.connection()
            try await link.send(Array("> ".utf8))
            #expect(try await link.receive(4) == Array("who\n".utf8))
            try await link.send(Array("me\n".utf8))
            #expect(try await client.receiveToEnd() == [])
        }
    }
}
