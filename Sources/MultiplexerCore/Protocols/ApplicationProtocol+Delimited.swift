extension ApplicationProtocol {
    /// Lines of text.
    public static let echo = echo(.lines)

    /// Lines of at most `maximumLength` bytes, their newline included.
    ///
    /// - Throws: ``InvalidSettings`` when the length is not 1 to 1,048,576.
    public static func echo(maximumLength: Int) throws(InvalidSettings) -> ApplicationProtocol {
        echo(try DelimitedFraming(delimiter: DelimitedFraming.lines.delimiter, maximumLength: maximumLength))
    }

    /// Messages that end with a carriage return and a newline.
    public static let delimited = delimited(.crlfLines)

    /// Messages of at most `maximumLength` bytes that end with a delimiter.
    ///
    /// - Parameters:
    ///   - delimiter: What ends each message, 1 to 16 bytes; nil means a carriage return and a newline.
    ///   - maximumLength: The longest message in bytes, its delimiter included; nil means 65,536, at most 1,048,576.
    /// - Returns: The protocol with these settings.
    /// - Throws: ``InvalidSettings`` when one of them is outside of that.
    public static func delimited(
        by delimiter: [UInt8]?,
        maximumLength: Int? = nil
    ) throws(InvalidSettings) -> ApplicationProtocol {
        delimited(
            try DelimitedFraming(
                delimiter: delimiter ?? DelimitedFraming.crlfLines.delimiter,
                maximumLength: maximumLength ?? DelimitedFraming.defaultMaximum
            )
        )
    }

    private static func echo(_ framing: DelimitedFraming) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "echo",
            aliases: ["line"],
            summary: "one line in, one line out, each ended by a newline: text consoles, echo servers",
            messages: .opaque,
            framing: framing,
            messageRules: OpaqueMessageRules()
        )
    }

    private static func delimited(_ framing: DelimitedFraming) -> ApplicationProtocol {
        ApplicationProtocol(
            name: "delimited",
            summary: "messages that end with CR LF, or with another delimiter: instruments, scanners, printers",
            messages: .opaque,
            framing: framing,
            messageRules: OpaqueMessageRules()
        )
    }
}
