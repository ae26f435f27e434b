import MultiplexerCore
import Testing

@Suite struct ModbusTCPFramingTests {
    /// Well-formed frames, requests and responses.
    static let frames: [[UInt8]] = [
        // Read Holding Registers 40000, 2 of unit 1.
        [0x00, 0x01, 0x00, 0x00, 0x00, 0x06, 0x01, 0x03, 0x9C, 0x40, 0x00, 0x02],
        // Its response.
        [0x00, 0x01, 0x00, 0x00, 0x00, 0x07, 0x01, 0x03, 0x04, 0x53, 0x75, 0x6E, 0x53],
        // An exception response.
        [0xAB, 0xCD, 0x00, 0x00, 0x00, 0x03, 0xF7, 0x83, 0x02],
        // The shortest: a function without data (Read Exception Status).
        [0xFF, 0xFF, 0x00, 0x00, 0x00, 0x02, 0x00, 0x07],
        // The longest: a PDU of 253 bytes (trap T6: one peer refuses it).
        [0x12, 0x34, 0x00, 0x00, 0x00, 0xFE, 0x01] + [0x10] + [UInt8](repeating: 0x55, count: 252),
        // A vendor's function (trap T31).
        [0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x01, 0x41, 0x24, 0x01],
    ]
    let framing = ModbusTCPFraming()

    @Test(arguments: frames)
    func `a frame is as long as its header says`(_ frame: [UInt8]) throws {
        #expect(try FrameFeeding(framing, .request).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing, .response).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing).measure(frame + [0xFF, 0xFF]) == frame.count)
    }

    @Test func `the envelope tells the id and where the message stands`() {
        let envelope = framing.envelope(of: Self.frames[2])
        #expect(envelope == Envelope(transactionID: 0xABCD, message: 6..<9))
        #expect(framing.carriesTransactionIDs)
    }

    @Test func `a message is sealed under the id it is given`() {
        let sealed = framing.sealed([0x01, 0x83, 0x0B], transactionID: 0x0102)
        #expect(sealed == [0x01, 0x02, 0x00, 0x00, 0x00, 0x03, 0x01, 0x83, 0x0B])
    }

    // Trap T6: protocol id 0, 2 ≤ length ≤ 254, nothing else.
    @Test(
        arguments: [
            ([0x00, 0x01, 0x00, 0x01], "the protocol id is 1 instead of 0"),
            ([0x00, 0x01, 0x01, 0x00], "the protocol id is 256 instead of 0"),
            (Array("GET / HTTP/1.1".utf8), "the protocol id is 21536 instead of 0"),
            // A TLS ClientHello.
            ([0x16, 0x03, 0x01, 0x02, 0x00, 0x01], "the protocol id is 258 instead of 0"),
            ([0x00, 0x01, 0x00, 0x00, 0x00, 0x00], "length 0; 2 to 254 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0x00, 0x01], "length 1; 2 to 254 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0x00, 0xFF], "length 255; 2 to 254 are allowed"),
            ([0x00, 0x01, 0x00, 0x00, 0xFF, 0xFF], "length 65535; 2 to 254 are allowed"),
        ] as [([UInt8], String)]
    )
    func `what is no Modbus is refused on its header`(_ bytes: [UInt8], _ words: String) throws {
        let complaint = try #require(FrameFeeding(framing).complaint(about: bytes))
        #expect(complaint.hasSuffix(words))
    }

    @Test func `too few bytes to tell are neither a frame nor an error`() throws {
        for count in 0..<6 {
            #expect(try FrameFeeding(framing).measure(Array(Self.frames[0].prefix(count))) == nil)
        }
    }
}
