/// Lines: a frame ends with a newline (0x0A), which belongs to it, as does a carriage return before it.
package struct LineFraming: Framing {
    /// The longest line in bytes, its newline included.
    package let maximumLength: Int

    /// Lines of at most `maximumLength` bytes, newline included.
    package init(maximumLength: Int = 65_536) {
        self.maximumLength = maximumLength
    }

    /// Lines carry no id.
    package var carriesTransactionIDs: Bool { false }

    /// Looks for the newline.
    package func frameLength(
        in bytes: Span<UInt8>,
        _ direction: Direction,
        answering request: Request?
    ) throws(FramingError) -> Int? {
        let searched = min(bytes.count, maximumLength)
        for index in 0..<searched where bytes[index] == 0x0A {
            return index + 1
        }
        guard bytes.count < maximumLength else {
            throw FramingError("a line longer than \(maximumLength) bytes")
        }
        return nil
    }

    /// The whole line is the message.
    package func envelope(of frame: Span<UInt8>) -> Envelope {
        Envelope(message: 0..<frame.count)
    }

    /// Appends the line as it is.
    package func seal(_ message: Span<UInt8>, transactionID: UInt16, into output: inout [UInt8]) {
        output.append(contentsOf: message)
    }
}

extension ApplicationProtocol {
    /// Lines of text.
    public static let echo = ApplicationProtocol(
        name: "echo",
        aliases: ["line"],
        summary: "one line in, one line out, each ended by a newline: text consoles, echo servers",
        messages: .opaque,
        framing: LineFraming(),
        messageRules: OpaqueMessageRules()
    )
}
