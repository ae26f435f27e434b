import MultiplexerCore
import SecureMux
import Testing

@testable import tcp_multiplexer

@Suite struct ProbeRequestTests {
    @Test(arguments: [
        ("40000:4", 40_000..<40_004), ("7", 7..<8), ("0x9C40:4", 40_000..<40_004), ("0:125", 0..<125),
        ("65535:1", 65_535..<65_536), ("65411:125", 65_411..<65_536),
    ])
    func `what to read is an address and a count`(text: String, addresses: Range<Int>) throws {
        #expect(try ProbeRequest(reading: .holdingRegisters, parsing: text) == .read(.holdingRegisters, addresses))
    }

    @Test(arguments: [
        ("", "'' is not an address"), ("a:4", "'a' is not an address"),
        ("4:", "'' is not a count of holding registers"),
        ("-1:4", "-1 is not an address from 0 to 65535"), ("65536:1", "65536 is not an address from 0 to 65535"),
        ("0:0", "0 is not a count of holding registers from 1 to 125"),
        ("0:126", "126 is not a count of holding registers from 1 to 125"),
        ("65535:2", "it goes beyond address 65535"), ("0x-1", "'0x-1' is not an address"),
        ("1:2:3", "'2:3' is not a count of holding registers"), ("+1", "'+1' is not an address"),
        ("99999999999999999999", "'99999999999999999999' is not an address"),
    ])
    func `what cannot be read is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ProbeRequest(reading: .holdingRegisters, parsing: text)
        }
        #expect(
            error?.description
                == "'\(text)' is not what to read: \(reason). Write ADDRESS:COUNT, as in 40000:4, or ADDRESS alone"
        )
    }

    @Test func `more coils than registers can be read at once`() throws {
        #expect(try ProbeRequest(reading: .coils, parsing: "0:2000") == .read(.coils, 0..<2_000))
        #expect(throws: ConfigurationError.self) { try ProbeRequest(reading: .coils, parsing: "0:2001") }
    }

    @Test func `values to write may be signed, unsigned or hexadecimal`() throws {
        #expect(try ProbeRequest(writing: "5=1,-2,0xFFFF,-32768") == .write([1, 0xFFFE, 0xFFFF, 0x8000], at: 5))
    }

    @Test(arguments: [
        ("5", "there is no '='"), ("5=", "'' is not a value"), ("5=1,", "'' is not a value"),
        ("=1", "'' is not an address"), ("5=65536", "65536 is not a value from -32768 to 65535"),
        ("5=-32769", "-32769 is not a value from -32768 to 65535"), ("65535=1,2", "it goes beyond address 65535"),
        (
            "0=" + Array(repeating: "1", count: 124).joined(separator: ","),
            "124 values are more than the 123 of one request"
        ),
    ])
    func `what cannot be written is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ConfigurationError.self) { try ProbeRequest(writing: text) }
        #expect(error?.description.contains("is not what to write: \(reason). Write ") == true)
    }

    @Test(
        arguments: [
            (.read(.holdingRegisters, 40_000..<40_004), [9, 3, 0x9C, 0x40, 0, 4]),
            (.read(.inputRegisters, 1..<2), [9, 4, 0, 1, 0, 1]),
            (.read(.coils, 0..<2_000), [9, 1, 0, 0, 0x07, 0xD0]),
            (.read(.discreteInputs, 2..<3), [9, 2, 0, 2, 0, 1]),
            (.write([0x1234], at: 5), [9, 6, 0, 5, 0x12, 0x34]),
            (.write([1, 0xFFFE], at: 5), [9, 16, 0, 5, 0, 2, 4, 0, 1, 0xFF, 0xFE]),
        ] as [(ProbeRequest, [UInt8])]
    )
    func `a request is put into a message`(request: ProbeRequest, message: [UInt8]) {
        #expect(request.message(unit: 9) == message)
    }

    @Test(
        arguments: [
            (
                .read(.holdingRegisters, 7..<9), [9, 3, 4, 0x53, 0x75, 0, 1],
                .registers([0x5375, 1], .holdingRegisters, 7..<9)
            ),
            (.read(.coils, 0..<9), [9, 1, 2, 0b101, 1], .bits(bits, .coils, 0..<9)),
            (.write([7], at: 5), [9, 6, 0, 5, 0, 7], .written([7], at: 5)),
            (.write([7, 8], at: 5), [9, 16, 0, 5, 0, 2], .written([7, 8], at: 5)),
        ] as [(ProbeRequest, [UInt8], ProbeAnswer)]
    )
    func `a response is read as what was asked for`(
        request: ProbeRequest,
        response: [UInt8],
        answer: ProbeAnswer
    ) throws {
        #expect(try request.answer(in: response, unit: 9) == answer)
    }

    private static let bits = [true, false, true, false, false, false, false, false, true]

    @Test(
        arguments: [
            (2, "illegal data address (0x02)"),
            (0x0A, "gateway path unavailable (0x0A): what answers has no connection to the device"),
            (0x0B, "gateway target device failed to respond (0x0B): the device behind what answers does not respond"),
            (0x77, "unknown exception (0x77)"),
        ] as [(UInt8, String)]
    )
    func `an exception is named`(code: UInt8, words: String) {
        #expect(throws: ProbeFailure(.modbusException, "the answer is an exception, \(words)")) {
            try ProbeRequest.read(.holdingRegisters, 0..<1).answer(in: [1, 0x83, code], unit: 1)
        }
    }

    @Test(
        arguments: [
            ([1], "is shorter than 2 bytes"),
            ([2, 3, 2, 0, 0], "comes from unit 2 instead of 1"),
            ([1, 4, 2, 0, 0], "is about read input registers (4) instead of read holding registers (3)"),
            ([1, 0x84, 2], "is about read input registers (4) instead of read holding registers (3)"),
            ([1, 0x83], "is an exception without a code"),
            ([1, 3], "has another length than what was asked for"),
            ([1, 3, 2, 0], "has another length than what was asked for"),
            ([1, 3, 4, 0, 0, 0, 0], "has another length than what was asked for"),
            ([1, 3, 2, 0, 0, 0], "has another length than what was asked for"),
        ] as [([UInt8], String)]
    )
    func `a response to something else is malformed`(response: [UInt8], reason: String) {
        #expect(throws: ProbeFailure(.malformedAnswer, "the answer \(reason)")) {
            try ProbeRequest.read(.holdingRegisters, 0..<1).answer(in: response, unit: 1)
        }
    }

    @Test(arguments: [[1, 6, 0, 5, 0, 8], [1, 6, 0, 6, 0, 7], [1, 6, 0, 5], [1, 6, 0, 5, 0, 7, 0]] as [[UInt8]])
    func `a write that is confirmed otherwise is malformed`(response: [UInt8]) {
        #expect(throws: ProbeFailure(.malformedAnswer, "the answer confirms something else than what was written")) {
            try ProbeRequest.write([7], at: 5).answer(in: response, unit: 1)
        }
    }

    @Test func `each kind of failure has its exit code`() {
        #expect(ProbeFailure.Kind.allCases.map(\.rawValue) == [2, 3, 4, 5, 6, 7])
    }
}
