import SecureMux
import Testing

@Suite struct SizeTextTests {
    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("65536", 65_536), ("64k", 65_536), ("64K", 65_536), ("1M", 1_048_576), ("007", 7),
            ("9223372036854775807", .max),
        ] as [(String, Int)]
    )
    func `a size is bytes, or units of 1,024 and 1,048,576`(_ text: String, _ size: Int) throws {
        #expect(try Int(parsingSize: text) == size)
    }

    @Test(
        arguments: [
            "", "k", "-1", "+1", "1.5M", "64 k", " 64k", "64kB", "64KiB", "1m", "1G", "0x10", "9223372036854775808",
            "١",
        ]
    )
    func `what is no size is refused with what would be`(_ text: String) {
        let error = #expect(throws: ConfigurationError.self) { try Int(parsingSize: text) }
        #expect(error?.description == "'\(text)' is not a size: write 65536 (bytes), 64k or 1M")
    }

    @Test func `a size that nobody can count is refused`() {
        let error = #expect(throws: ConfigurationError.self) { try Int(parsingSize: "9223372036854775807k") }
        #expect(error?.description == "'9223372036854775807k' is a larger size than can be counted")
    }
}
