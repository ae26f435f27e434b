import MultiplexerCore
import Testing

@Suite struct ModbusTCPWithCRCFramingTests {
    /// Well-formed frames, requests and responses.
    static let frames = literals + exchanges

    private static let literals: [[UInt8]] = [
        // Read Holding Registers 0, 10 of unit 1.
        [0x00, 0x01, 0x00, 0x00, 0x00, 0x08, 0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD],
        // An exception response.
        [0xAB, 0xCD, 0x00, 0x00, 0x00, 0x05, 0x0A, 0x81, 0x02, 0xB0, 0x53],
        // The shortest: a function without data (Read Exception Status).
        [0xFF, 0xFF, 0x00, 0x00, 0x00, 0x04, 0x02, 0x07, 0x41, 0x12],
    ]

    // Trap T31: every function passes, in both directions; the longest have a PDU of 253 bytes.
    private static let exchanges: [[UInt8]] = ModbusExchange.all.flatMap { exchange in
        [exchange.request, exchange.response].map { message in
            let body = withModbusCRC(message)
            return [0x00, 0x00, 0x00, 0x00, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
        }
    }

    let framing = ModbusTCPWithCRCFraming()

    @Test(arguments: frames)
    func `a frame is as long as its header says`(_ frame: [UInt8]) throws {
        #expect(try FrameFeeding(framing, .request).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing, .response).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing).measure(frame + [0xFF, 0xFF]) == frame.count)
        #expect(try FrameFeeding(framing).measure(Array(frame.prefix(6))) == frame.count)
    }

    @Test func `the envelope tells the id and where the message stands`() {
        let envelope = framing.envelope(of: Self.frames[1])
        #expect(envelope == Envelope(transactionID: 0xABCD, message: 6..<9))
        #expect(framing.carriesTransactionIDs)
        #expect(framing.sealed([0x02, 0x07], transactionID: 0xFFFF) == Self.frames[2])
    }

    @Test(arguments: frames)
    func `a frame with any byte behind the header changed ends the stream`(_ frame: [UInt8]) throws {
        for index in 6..<frame.count {
            var damaged = frame
            damaged[index] ^= 0x04
            let error = try #require(throws: FramingError.self) { try FrameFeeding(framing).measure(damaged) }
            #expect(!error.isDamage)
            #expect(error.description.hasPrefix("a Modbus/TCP frame with checksum "))
        }
    }

    @Test func `a wrong checksum is told with the right one`() {
        var damaged = Self.frames[0]
        damaged[13] = 0x00
        let complaint = FrameFeeding(framing).complaint(about: damaged)
        #expect(complaint == "a Modbus/TCP frame with checksum C5 00 instead of C5 CD")
    }

    // Trap T6: protocol id 0, 4 ≤ length ≤ 256, nothing else.
    @Test(
        arguments: [
            ([0x00, 0x01, 0x00, 0x01], "the protocol id is 1 instead of 0"),
            (Array("GET / HTTP/1.1".utf8), "the protocol id is 21536 instead of 0"),
            ([0x00, 0x01, 0x00, 0x00, 0x00, 0x00], "length 0; 4 to 256 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0x00, 0x03], "length 3; 4 to 256 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0x01, 0x01], "length 257; 4 to 256 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0xFF, 0xFF], "length 65535; 4 to 256 are allowed"),
        ] as [([UInt8], String)]
    )
    func `what is no Modbus is refused on its header`(_ bytes: [UInt8], _ words: String) throws {
        let complaint = try #require(FrameFeeding(framing).complaint(about: bytes))
        #expect(complaint.hasSuffix(words))
    }

    // A Modbus/TCP client or device on the wrong wire.
    @Test func `a frame without a checksum is refused`() throws {
        let read: [UInt8] = [0x00, 0x01, 0x00, 0x00, 0x00, 0x06, 0x01, 0x03, 0x9C, 0x40, 0x00, 0x02]
        let complaint = try #require(FrameFeeding(framing).complaint(about: read))
        #expect(complaint.hasPrefix("a Modbus/TCP frame with checksum 00 02 instead of "))
    }
}
