import MultiplexerCore
import Testing

@Suite struct ModbusExceptionTests {
    @Test(
        arguments: [
            (0x01, "illegal function (0x01)"),
            (0x02, "illegal data address (0x02)"),
            (0x03, "illegal data value (0x03)"),
            (0x04, "server device failure (0x04)"),
            (0x05, "acknowledge (0x05)"),
            (0x06, "server device busy (0x06)"),
            (0x08, "memory parity error (0x08)"),
            (0x0A, "gateway path unavailable (0x0A)"),
            (0x0B, "gateway target device failed to respond (0x0B)"),
            (0x80, "unknown exception (0x80)"),
        ] as [(UInt8, String)]
    )
    func `an exception is called by its name and code`(_ code: UInt8, _ name: String) {
        #expect("\(ModbusException(rawValue: code))" == name)
    }
}
