import ArgumentParser
import MultiplexerCore
import SecureMux

/// How messages of a protocol are told apart on the wire, where that can be chosen.
struct FormatOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            What ends each message of 'delimited': 1 to 16 bytes in hexadecimal, such as 0a (newline), 03 (ETX) or 0d0a. \
            (default: 0d0a)
            """,
            valueName: "hex"
        ),
        transform: Parse.delimiter
    )
    var delimiter: [UInt8]?

    @Option(
        help: ArgumentHelp(
            """
            How many bytes the length before each message takes, 1, 2 or 4; for iso8583, mpu and length-prefixed, like the \
            next five. (default: 2; mpu: 4)
            """,
            valueName: "count"
        ),
        transform: Parse.lengthBytes
    )
    var lengthBytes: Int?

    @Option(
        help: ArgumentHelp(
            """
            What the length is written with: binary, ascii (a decimal digit a byte) or bcd (two decimal digits a byte). \
            (default: binary; mpu: ascii)
            """,
            valueName: "format"
        ),
        transform: Parse.lengthFormat
    )
    var lengthFormat: LengthPrefix.Format?

    @Option(
        help: ArgumentHelp(
            "Which byte of a binary length comes first: the highest (big) or the lowest (little). (default: big)",
            valueName: "order"
        ),
        transform: Parse.lengthOrder
    )
    var lengthOrder: LengthPrefix.Order?

    @Flag(help: "The length counts itself and the header bytes too. (default: only what follows it)")
    var lengthIncludesHeader = false

    @Option(
        help: ArgumentHelp(
            "How many bytes stand before the length, 0 to 64, a TPDU for example; they pass through. (default: 0)",
            valueName: "count"
        ),
        transform: Parse.headerBytes
    )
    var headerBytes: Int?

    @Option(
        help: ArgumentHelp(
            """
            How many bytes each message has beyond those that the length counts, 0 to 64: reserved ones, a checksum. ISO 8583 \
            begins behind them. (default: 0)
            """,
            valueName: "count"
        ),
        transform: Parse.lengthAdds
    )
    var lengthAdds: Int?

    @Option(
        help: ArgumentHelp(
            """
            The longest message that is taken, all of its bytes counted: 4096, 64k, 1M. Who sends a longer one is \
            disconnected. For echo and delimited up to 1M (default: 64k), for iso8583, mpu and length-prefixed up to 64M \
            (default: what the length can tell, but not more than 1M), for http bodies up to 64M (default: 8M), where a \
            longer one is answered with 413.
            """,
            valueName: "size"
        ),
        transform: Int.init(parsingSize:)
    )
    var maxMessage: Int?

    /// The protocol with the settings that were given.
    ///
    /// - Throws: `ValidationError` when it has no such settings, or they cannot be.
    func applied(to known: ApplicationProtocol) throws -> ApplicationProtocol {
        let format = MessageFormat(
            delimiter: delimiter,
            lengthBytes: lengthBytes,
            lengthFormat: lengthFormat,
            lengthOrder: lengthOrder,
            lengthIncludesHeader: lengthIncludesHeader,
            headerBytes: headerBytes,
            lengthAdds: lengthAdds,
            maxMessage: maxMessage
        )
        do {
            return try format.applied(to: known)
        } catch {
            throw ValidationError(error)
        }
    }
}
