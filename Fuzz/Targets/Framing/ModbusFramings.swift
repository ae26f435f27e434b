import MultiplexerCore

extension FramingUnderTest {
    /// Modbus/TCP.
    static let modbusTCP = everyRules.map { FramingUnderTest(ModbusTCPFraming(), $0, maximumLength: 260) }

    /// Modbus/TCP with a checksum.
    static let modbusTCPWithCRC = everyRules.map { rules in
        var tested = FramingUnderTest(ModbusTCPWithCRCFraming(), rules, maximumLength: 262)
        tested.checkFrame = { frame throws(Violation) in try checkCRC(frame.dropFirst(6)) }
        return tested
    }

    /// Modbus RTU.
    static let modbusSerial = everyRules.map { rules in
        var tested = FramingUnderTest(ModbusRTUFraming(), rules, maximumLength: 256)
        tested.isOpenEnded = isOpenEndedRTU
        tested.checkFrame = checkCRC
        return tested
    }

    /// Both where the device does not repeat transaction ids.
    static let modbusWithoutIDs = [
        FramingUnderTest(ModbusTCPFraming(ignoringTransactionIDs: true), everyRules[0], maximumLength: 260),
        FramingUnderTest(ModbusTCPWithCRCFraming(ignoringTransactionIDs: true), everyRules[0], maximumLength: 262),
    ]

    /// All of them.
    static let everyModbus = modbusTCP + modbusTCPWithCRC + modbusSerial

    /// With and without broadcasts, with and without a map.
    private static let everyRules = [UnitMap(), UnitMap([0: 3, 1: 0, 2: 0, 3: 247])].flatMap { map in
        [false, true].map { ModbusMessageRules(unitMap: map, broadcastsUnit0: $0) }
    }

    private init(_ framing: any Framing, _ rules: ModbusMessageRules, maximumLength: Int) {
        self.init(
            framing,
            rules,
            plainRules: ModbusMessageRules(broadcastsUnit0: rules.broadcastsUnit0),
            maximumLength: maximumLength
        )
    }
}

/// Functions whose form no standard tells.
@Sendable private func isOpenEndedRTU(_ bytes: ArraySlice<UInt8>, _ direction: Direction, _ request: Request?) -> Bool {
    let bytes = Array(bytes.prefix(4))
    guard bytes.count > 1 else { return false }
    switch (direction, bytes[1]) {
    case (.response, 0x80...), (_, 1...7), (_, 11), (_, 12), (_, 15...17), (_, 20...24):
        return false
    case (.response, 8) where request?.responseLength != nil:
        return false
    case (_, 8):
        return bytes.count == 4 && bytes[2] == 0 && bytes[3] == 0
    case (_, 43):
        return bytes.count > 2 && bytes[2] != 14
    default:
        return true
    }
}

/// The checksum, bit by bit as the standard has it: over a message and its own checksum it is 0.
@Sendable private func checkCRC(_ frame: ArraySlice<UInt8>) throws(Violation) {
    var register: UInt16 = 0xFFFF
    for byte in frame {
        register ^= UInt16(byte)
        for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0xA001 }
    }
    guard register == 0 else { throw Violation("a frame with a wrong checksum was taken: \(frame.hex)") }
}
