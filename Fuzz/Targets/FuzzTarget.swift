/// Something that takes any bytes and must keep its promises: run by libFuzzer, and by the tests with the inputs kept.
package struct FuzzTarget: Sendable {
    /// The name on the command line, and of its folders of inputs.
    package let name: String
    /// The longest input worth trying, in bytes.
    package let maximumInputLength: Int
    private let check: @Sendable ([UInt8]) throws(Violation) -> Void

    init(_ name: String, maximumInputLength: Int = 512, check: @escaping @Sendable ([UInt8]) throws(Violation) -> Void)
    {
        self.name = name
        self.maximumInputLength = maximumInputLength
        self.check = check
    }

    /// Every target.
    package static let all: [FuzzTarget] = [
        FuzzTarget("modbus", framings: FramingUnderTest.modbusTCP),
        FuzzTarget("modbus-rtu", framings: FramingUnderTest.modbusTCPWithCRC),
        FuzzTarget("modbus-serial", framings: FramingUnderTest.modbusSerial),
        FuzzTarget("modbus-translation") { input throws(Violation) in
            let framings =
                FramingUnderTest.modbusTCP + FramingUnderTest.modbusTCPWithCRC + FramingUnderTest.modbusSerial
            try Translation.check(input, between: framings)
        },
        FuzzTarget("iso8583", framings: FramingUnderTest.iso8583),
        FuzzTarget("length-prefixed", framings: FramingUnderTest.lengthPrefixed),
        FuzzTarget("delimited", framings: FramingUnderTest.delimited),
        FuzzTarget("echo", framings: FramingUnderTest.lines),
        FuzzTarget("response-reader", check: ResponseReaderInvariants.check),
        FuzzTarget("http-request", check: HTTPRequestInvariants.check),
        FuzzTarget("http-response", check: HTTPResponseInvariants.check),
        FuzzTarget("multiplexer") { input throws(Violation) in
            var schedule = FuzzedSchedule(input)
            try schedule.run()
        },
        FuzzTarget("tls-session", check: TLSSessionInvariants.check),
        FuzzTarget("configuration-file", maximumInputLength: 1024, check: ConfigurationFileInvariants.check),
    ]

    /// What `input` breaks, in words for people; nil when all holds.
    package func violation(by input: [UInt8]) -> String? {
        do {
            try check(input)
            return nil
        } catch {
            return error.description
        }
    }
}
