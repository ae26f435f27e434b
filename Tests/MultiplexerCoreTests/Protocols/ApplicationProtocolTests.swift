import MultiplexerCore
import Testing

@Suite struct ApplicationProtocolTests {
    @Test func `a protocol is found by its name and its aliases`() {
        #expect(ApplicationProtocol.named("modbus")?.framing is ModbusTCPFraming)
        #expect(ApplicationProtocol.named("modbus-tcp")?.name == "modbus")
        #expect(ApplicationProtocol.named("echo")?.framing is DelimitedFraming)
        #expect(ApplicationProtocol.named("line")?.name == "echo")
        #expect(ApplicationProtocol.named("length-prefixed")?.framing is LengthPrefixFraming)
        #expect(ApplicationProtocol.named("modbus-rtu")?.framing is ModbusTCPWithCRCFraming)
        #expect(ApplicationProtocol.named("modbus-serial")?.framing is ModbusRTUFraming)
        #expect(ApplicationProtocol.named("modbus-rtu-over-tcp")?.name == "modbus-serial")
        #expect(ApplicationProtocol.named("rtu-over-tcp")?.name == "modbus-serial")
        #expect(ApplicationProtocol.named("modbus-") == nil)
        #expect(ApplicationProtocol.named("") == nil)
    }

    @Test func `no two protocols share a name`() {
        let names = ApplicationProtocol.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
    }

    @Test func `every protocol has one line for its users`() {
        for known in ApplicationProtocol.all {
            #expect(!known.summary.isEmpty)
            #expect(!known.summary.contains("\n"))
        }
    }
}
