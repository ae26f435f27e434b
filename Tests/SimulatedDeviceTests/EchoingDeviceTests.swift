import Logging
import MultiplexerCore
import SimulatedDevice
import Testing

/// Devices whose messages come back.
@Suite(.timeLimit(.minutes(1))) struct EchoingDeviceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let spoken: ApplicationProtocol
        let request: [UInt8]
        let answer: [UInt8]

        init(_ description: String, _ spoken: ApplicationProtocol, _ request: [UInt8], _ answer: [UInt8]? = nil) {
            testDescription = description
            self.spoken = spoken
            self.request = request
            self.answer = answer ?? request
        }
    }

    static func cases() throws -> [Case] {
        let tpdu: [UInt8] = [0x60, 0, 1, 0, 2]
        let long = [UInt8](repeating: 0x0A, count: 300_000)
        return [
            Case("echo", .echo, Array("hello\r\n".utf8)),
            Case("delimited", .delimited, Array("a\nb\r\n".utf8)),
            Case("delimited by ETX", try .delimited(by: [0x03]), [0x02, 0x0D, 0x0A, 0x03]),
            Case("length-prefixed", .lengthPrefixed, [0, 3, 0, 0x80, 0xFF]),
            Case("an empty message", .lengthPrefixed, [0, 0]),
            Case(
                "a message longer than what is read ahead of answers",
                .lengthPrefixed(prefix: try LengthPrefix(lengthBytes: 4)),
                [0x00, 0x04, 0x93, 0xE0] + long
            ),
            Case("iso8583", .iso8583, [0, 5] + Array("0200x".utf8), [0, 5] + Array("0210x".utf8)),
            Case("iso8583 in BCD behind a TPDU", .iso8583, [0, 7] + tpdu + [8, 0], [0, 7] + tpdu + [8, 0x10]),
            Case("no MTI", .iso8583, [0, 5] + Array("hello".utf8)),
            Case("a request behind a heartbeat", .iso8583, [0, 0, 0, 2, 8, 0], [0, 2, 8, 0x10]),
            Case("a request behind an answer", .iso8583, [0, 2, 2, 0x10, 0, 2, 8, 0], [0, 2, 8, 0x10]),
            Case("mpu", .mpu, Array("00050420x".utf8), Array("00050430x".utf8)),
            Case(
                "iso8583 behind header bytes",
                .iso8583(prefix: try LengthPrefix(headerBytes: 5, lengthBytes: 1)),
                tpdu + [4] + Array("0800".utf8),
                tpdu + [4] + Array("0810".utf8)
            ),
        ]
    }

    @Test(arguments: try cases())
    func `a message comes back, a request of ISO 8583 as its own answer`(_ example: Case) async throws {
        var configuration = SimulatedDevice.Configuration()
        configuration.applicationProtocol = example.spoken
        let device = SimulatedDevice(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let port = try await device.start()
        let client = try await TestClient.connect(to: port)
        // Two at once: what follows a message belongs to the next one.
        let answers = try await client.sendAndReceive(example.request + example.request, example.answer.count * 2)
        #expect(answers == example.answer + example.answer)
        #expect(device.counters.requestsServed == 2)
        await device.stop()
    }
}
