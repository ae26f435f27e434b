import MultiplexerCore
import Testing

@Suite struct ModbusCRCTests {
    @Test(
        arguments: [
            // The check value of the CRC catalogues.
            (Array("123456789".utf8), 0x4B37),
            // The example of MODBUS over Serial Line V1.02, appendix B.
            ([0x02, 0x07], 0x1241),
            ([0x01, 0x03, 0x00, 0x00, 0x00, 0x0A], 0xCDC5),
            ([0x11, 0x03, 0x00, 0x6B, 0x00, 0x03], 0x8776),
            ([0x01, 0x03, 0x00, 0x00, 0x00, 0x01], 0x0A84),
            ([], 0xFFFF),
        ] as [([UInt8], UInt16)]
    )
    func `the checksum of known bytes is the known one`(_ bytes: [UInt8], _ checksum: UInt16) {
        #expect(ModbusCRC(of: bytes.span).value == checksum)
    }

    @Test func `the low byte stands first on the wire`() {
        let checksum = ModbusCRC(of: ([0x01, 0x03, 0x00, 0x00, 0x00, 0x0A] as [UInt8]).span)
        #expect([checksum.low, checksum.high] == [0xC5, 0xCD])
        #expect("\(checksum)" == "C5 CD")
        #expect(ModbusCRC(endOf: ([0x0A, 0xC5, 0xCD] as [UInt8]).span) == checksum)
        #expect("\(ModbusCRC(endOf: ([0x00, 0x0B] as [UInt8]).span))" == "00 0B")
    }

    @Test func `the checksum is that of the bitwise definition`() {
        var generator = SplitMix64(seed: 1)
        for length in 0...256 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(ModbusCRC(of: bytes.span).value == bitwiseModbusCRC(of: bytes))
        }
    }
}

/// The checksum bit by bit, as MODBUS over Serial Line V1.02, section 6.2.2 says it.
func bitwiseModbusCRC(of bytes: some Sequence<UInt8>) -> UInt16 {
    var register: UInt16 = 0xFFFF
    for byte in bytes {
        register ^= UInt16(byte)
        for _ in 0..<8 {
            let bit = register & 1
            register >>= 1
            if bit == 1 { register ^= 0xA001 }
        }
    }
    return register
}

/// The message and its checksum: a Modbus RTU frame.
func withModbusCRC(_ message: [UInt8]) -> [UInt8] {
    let checksum = bitwiseModbusCRC(of: message)
    return message + [UInt8(truncatingIfNeeded: checksum), UInt8(checksum >> 8)]
}
