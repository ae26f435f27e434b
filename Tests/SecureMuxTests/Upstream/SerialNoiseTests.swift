import MultiplexerCore
import SecureMux
import Testing

/// What a serial line brings beside answers, through an adapter that passes everything on.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SerialNoiseTests {
    /// Read one holding register of unit 1, and its answer.
    private let question: [UInt8] = [1, 3, 0, 0, 0, 1]
    private let answer: [UInt8] = [1, 3, 2, 0, 0xD7, 0xF8, 0x1A]
    private let failure: [UInt8] = [1, 0x83, 0x0B]

    /// Lets the device answer each request with these pieces, which come some time apart.
    private func exchange(
        _ pieces: [[UInt8]],
        pause: Duration = .milliseconds(20),
        rounds: Int = 3,
        attempts: Int = 1,
        giving expected: [UInt8]
    ) async throws {
        try await withServer(protocol: .modbusSerial) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            for _ in 0..<rounds {
                try await client.send(rtu(question))
                let link = try await device.connection()
                for _ in 0..<attempts {
                    #expect(try await link.receive(8) == rtu(question))
                    try await link.send(pieces[0])
                    for piece in pieces.dropFirst() {
                        try await Task.sleep(for: pause)
                        try await link.send(piece)
                    }
                }
                #expect(try await client.receive(expected.count) == expected)
            }
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `zeros behind every answer are dropped, with it or some milliseconds later`() async throws {
        try await exchange([answer + [0, 0, 0]], rounds: 20, giving: answer)
        try await exchange([answer, [0, 0, 0]], pause: .milliseconds(5), rounds: 10, giving: answer)
        try await exchange([answer + [0], [0, 0]], pause: .milliseconds(5), rounds: 10, giving: answer)
        try await exchange([answer, [0, 0, 0]], pause: .milliseconds(150), giving: answer)
    }

    @Test func `stray bytes before an answer are dropped`() async throws {
        let answer = rtu([1, 3, 2, 0x6D, 0x60])
        try await exchange([[0xFF] + answer], giving: answer)
        try await exchange([[0] + answer], giving: answer)
        try await exchange([[0, 0xFF], [0x55] + answer.prefix(3), Array(answer.dropFirst(3))], giving: answer)
    }

    @Test func `another unit's late frame is dropped and the wait goes on`() async throws {
        let late: [UInt8] = [2, 4, 2, 0x13, 0x88, 0xF0, 0x66]
        try await exchange([late, answer], pause: .milliseconds(30), giving: answer)
        try await exchange([late + answer], giving: answer)
    }

    @Test func `registers wider than 16 bit are passed on`() async throws {
        let wide = rtu([1, 3, 8, 0, 6, 0x59, 0xCF, 0, 0, 0, 0])
        try await exchange([wide], giving: wide)
    }

    @Test func `what can never be right fails its request soon and costs no connection`() async throws {
        let reversed = answer.dropLast(2) + [answer[6], answer[5]]
        // A read is asked for once more.
        try await exchange([Array(reversed)], rounds: 1, attempts: 2, giving: rtu(failure))
        try await exchange([[1, 3, 0, 2, 0x17, 0x81, 0x2B, 0x9A]], rounds: 1, attempts: 2, giving: rtu(failure))
    }

    @Test func `of two answers to one request neither is given to anyone`() async throws {
        try await withServer(protocol: .modbusSerial) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(rtu(question))
            let link = try await device.connection()
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(answer)
            #expect(try await client.receive(7) == answer)
            try await client.send(rtu(question))
            #expect(try await link.receive(8) == rtu(question))
            try await link.send(answer + rtu([1, 3, 2, 0, 1]))
            #expect(try await client.receive(5) == rtu(failure))
            #expect(try await link.receiveToEnd().isEmpty)
            try await client.send(rtu(question))
            let next = try await device.connection(1)
            #expect(try await next.receive(8) == rtu(question))
            try await next.send(answer)
            #expect(try await client.receive(7) == answer)
        }
    }

    private func rtu(_ message: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = []
        ModbusRTUFraming().seal(message.span, transactionID: 0, into: &frame)
        return frame
    }
}
