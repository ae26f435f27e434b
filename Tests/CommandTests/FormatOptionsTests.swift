import ArgumentParser
import MultiplexerCore
import SecureMux
import Testing

@testable import tcp_multiplexer

@Suite struct FormatOptionsTests {
    private func framing(_ options: [String]) throws -> any Framing {
        try Serve.parse(options).clientProtocol.framing
    }

    @Test(
        arguments: [
            ([], [0x0A], 65_536), (["-p", "line", "--max-message", "1k"], [0x0A], 1_024),
            (["--max-message", "80"], [0x0A], 80), (["-p", "delimited"], [0x0D, 0x0A], 65_536),
            (["-p", "delimited", "--delimiter", "0a"], [0x0A], 65_536),
            (["-p", "delimited", "--delimiter", "03Ff", "--max-message", "1M"], [0x03, 0xFF], 1_048_576),
            (["-p", "delimited", "--max-message", "100"], [0x0D, 0x0A], 100),
        ] as [([String], [UInt8], Int)]
    )
    func `options set the delimiter and the limit`(_ options: [String], _ delimiter: [UInt8], _ maximum: Int) throws {
        let framing = try #require(try framing(options) as? DelimitedFraming)
        #expect(framing.delimiter == delimiter)
        #expect(framing.maximumLength == maximum)
    }

    @Test(
        arguments: [
            (["-p", "iso8583"], try LengthPrefix()), (["-p", "length-prefixed"], try LengthPrefix()),
            (["-p", "mpu"], try LengthPrefix(lengthBytes: 4, format: .ascii)),
            (["-p", "iso8583", "--header-bytes", "5"], try LengthPrefix(headerBytes: 5)),
            (["-p", "iso8583", "--length-includes-header"], try LengthPrefix(includesHeader: true)),
            (["-p", "iso8583", "--length-adds", "2"], try LengthPrefix(uncountedBytes: 2)),
            (
                ["-p", "length-prefixed", "--header-bytes", "1", "--length-order", "little", "--length-adds", "10"],
                try LengthPrefix(headerBytes: 1, order: .little, uncountedBytes: 10)
            ),
            (["-p", "mpu", "--length-bytes", "2"], try LengthPrefix(lengthBytes: 2, format: .ascii)),
            (["-p", "mpu", "--length-format", "bcd"], try LengthPrefix(lengthBytes: 4, format: .bcd)),
            (
                ["-p", "iso8583", "--length-format", "ascii", "--length-bytes", "4"],
                try LengthPrefix(lengthBytes: 4, format: .ascii)
            ),
            (
                ["-p", "length-prefixed", "--length-bytes", "4", "--length-order", "little", "--max-message", "2M"],
                try LengthPrefix(lengthBytes: 4, order: .little, maximumLength: 2_097_152)
            ),
            (
                ["-p", "length-prefixed", "--length-bytes", "1", "--length-order", "big", "--length-format", "binary"],
                try LengthPrefix(lengthBytes: 1)
            ),
        ] as [([String], LengthPrefix)]
    )
    func `options set how the length is written`(_ options: [String], _ prefix: LengthPrefix) throws {
        #expect((try framing(options) as? LengthPrefixFraming)?.prefix == prefix)
    }

    @Test(
        arguments: [
            (
                ["--delimiter", "0a"],
                "--delimiter is of no use to echo: leave it out, or choose a protocol that has it with -p (delimited)"
            ),
            (
                ["-p", "modbus", "--max-message", "1k"],
                "--max-message is of no use to modbus: leave it out, or choose a protocol that has it with -p"
                    + " (iso8583, mpu, length-prefixed, delimited, echo, http)"
            ),
            (["-p", "delimited", "--delimiter", "\u{FF10}d"], "is not a delimiter"),
            (
                [
                    "-p", "length-prefixed", "--length-bytes", "1", "--length-format", "ascii", "--header-bytes", "9",
                    "--length-includes-header",
                ],
                "a length of up to 9 cannot count a header of 10 bytes"
            ),
            (["-p", "iso8583", "--delimiter", "0a"], "--delimiter is of no use to iso8583"),
            (
                ["-p", "delimited", "--length-bytes", "2"],
                "--length-bytes is of no use to delimited: leave it out, or choose a protocol that has it with -p"
                    + " (iso8583, mpu, length-prefixed)"
            ),
            (["-p", "modbus", "--length-format", "bcd"], "--length-format is of no use to modbus"),
            (["-p", "modbus", "--length-order", "big"], "--length-order is of no use to modbus"),
            (["-p", "modbus", "--length-includes-header"], "--length-includes-header is of no use to modbus"),
            (["-p", "echo", "--header-bytes", "0"], "--header-bytes is of no use to echo"),
            (["-p", "modbus", "--length-adds", "2"], "--length-adds is of no use to modbus"),
            (
                ["-p", "mpu", "--length-adds", "65"],
                "'65' is not a number of bytes that a length may leave out: 0 to 64"
            ),
            (["-p", "mpu", "--length-adds=-2"], "'-2' is not a number of bytes that a length may leave out: 0 to 64"),
            (
                ["-p", "iso8583", "--length-adds", "2", "--max-message", "3"],
                "limited to 4 (header, length and what it does not count) to 67108864 bytes, not to 3"
            ),
            (["-p", "delimited", "--delimiter", ""], "'' is not a delimiter: write its bytes in hexadecimal"),
            (["-p", "delimited", "--delimiter", "0d0"], "'0d0' is not a delimiter"),
            (["-p", "delimited", "--delimiter", "0x0d"], "'0x0d' is not a delimiter"),
            (["-p", "delimited", "--delimiter", "\\n"], "'\\n' is not a delimiter"),
            (
                ["-p", "delimited", "--delimiter", String(repeating: "00", count: 17)],
                "delimited cannot be spoken like this: a delimiter has 1 to 16 bytes, not 17"
            ),
            (["-p", "delimited", "--max-message", "1"], "limited to 2 to 1048576 bytes, not to 1"),
            (["-p", "echo", "--max-message", "2M"], "limited to 1 to 1048576 bytes, not to 2097152"),
            (["-p", "echo", "--max-message", "big"], "'big' is not a size: write 65536 (bytes), 64k or 1M"),
            (["-p", "mpu", "--length-bytes", "3"], "'3' is not a number of bytes that a length may take: 1, 2 or 4"),
            (["-p", "mpu", "--length-bytes", "two"], "'two' is not a number of bytes that a length may take"),
            (
                ["-p", "mpu", "--length-format", "hex"],
                "'hex' is not a format that a length may have: binary, ascii or bcd"
            ),
            (["-p", "mpu", "--length-order", "middle"], "'middle' is not an order of bytes: big or little"),
            (
                ["-p", "mpu", "--header-bytes", "65"],
                "'65' is not a number of bytes that may stand before the length: 0 to 64"
            ),
            (["-p", "mpu", "--header-bytes=-1"], "'-1' is not a number of bytes that may stand before the length"),
            (
                ["-p", "mpu", "--length-order", "little"],
                "mpu cannot be spoken like this: decimal digits begin with the highest; only a binary length can be little-endian"
            ),
            (
                ["-p", "length-prefixed", "--length-bytes", "1", "--length-order", "little"],
                "length-prefixed cannot be spoken like this: a length of one byte has no byte order; it cannot be little-endian"
            ),
            (["-p", "iso8583", "--max-message", "1"], "limited to 2 (header and length) to 67108864 bytes, not to 1"),
            (["-p", "iso8583", "--max-in-flight", "2"], "--max-in-flight 2: iso8583 has no transaction ids"),
        ] as [([String], String)]
    )
    func `options that make no sense are refused with the reason`(_ options: [String], _ reason: String) {
        let error = #expect(throws: (any Error).self) { try Serve.parse(options) }
        let message = error.map(Serve.message(for:)) ?? ""
        #expect(message.contains(reason), "\(message)")
        #expect(error.map { Serve.exitCode(for: $0) } == .validationFailure)
    }
}
