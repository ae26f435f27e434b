import MultiplexerCore

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
        FuzzTarget("modbus", framings: [FramingUnderTest(.modbus, maximumLength: 260)]),
        FuzzTarget("echo", framings: [64, 16, 2, 1].map(FramingUnderTest.lines)),
        FuzzTarget("multiplexer") { input throws(Violation) in
            var schedule = FuzzedSchedule(input)
            try schedule.run()
        },
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
