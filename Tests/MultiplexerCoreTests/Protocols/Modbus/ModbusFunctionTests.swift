import MultiplexerCore
import Testing

@Suite struct ModbusFunctionTests {
    @Test func `only functions known to read do not write`() {
        let readers = (0...0x7F).filter { !ModbusFunction(rawValue: $0).mayWrite }
        #expect(readers == [0x01, 0x02, 0x03, 0x04, 0x07, 0x0B, 0x0C, 0x11, 0x14, 0x18])
    }

    @Test func `the exception bit is no part of the function`() {
        #expect(ModbusFunction(rawValue: 0x83) == .readHoldingRegisters)
        #expect(ModbusFunction(rawValue: 0xFF).rawValue == 0x7F)
    }

    @Test(
        arguments: [
            (0x03, "read holding registers (3)"),
            (0x10, "write multiple registers (16)"),
            (0x2B, "encapsulated interface transport (43)"),
            (0x41, "function (65)"),
        ] as [(UInt8, String)]
    )
    func `a function is called by its name and code`(_ code: UInt8, _ name: String) {
        #expect("\(ModbusFunction(rawValue: code))" == name)
    }
}
