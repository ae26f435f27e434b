import MultiplexerCore

/// A framing with its settings, and what is known of it beside.
struct FramingUnderTest: Sendable {
    let framing: any Framing
    let rules: any MessageRules
    /// The longest frame, whichever way it travels.
    let maximumLength: Int
    /// Whether a message has one frame only, so that sealing it anew gives the frame it was cut from.
    let isCanonical: Bool

    init(framing: any Framing, rules: any MessageRules, maximumLength: Int, isCanonical: Bool = true) {
        self.framing = framing
        self.rules = rules
        self.maximumLength = maximumLength
        self.isCanonical = isCanonical
    }

    init(_ known: ApplicationProtocol, maximumLength: Int, isCanonical: Bool = true) {
        self.init(
            framing: known.framing,
            rules: known.messageRules,
            maximumLength: maximumLength,
            isCanonical: isCanonical
        )
    }

    static func lines(ofAtMost length: Int) -> FramingUnderTest {
        FramingUnderTest(
            framing: LineFraming(maximumLength: length),
            rules: OpaqueMessageRules(),
            maximumLength: length
        )
    }
}

extension FuzzTarget {
    /// Any stream, cut by one of `framings`.
    ///
    /// ```
    /// +-----------+-------+-------+---+---------+----------------------+
    /// | direction | piece | piece | n | request | stream               |
    /// | framing   |  - 1  |  - 1  |   | n bytes |                      |
    /// +-----------+-------+-------+---+---------+----------------------+
    /// ```
    ///
    /// The lowest bit of the first byte is set for responses, the other bits choose the framing. The stream comes in
    /// pieces of the two lengths in turn. The request is the message that responses answer, where it is one.
    init(_ name: String, framings: [FramingUnderTest]) {
        self.init(name) { input throws(Violation) in
            var input = FuzzInput(input)
            let choice = Int(input.byte())
            let pieces = [1 + Int(input.byte()), 1 + Int(input.byte())]
            let request = input.take(Int(input.byte()))
            let invariants = FramingInvariants(
                framings[(choice >> 1) % framings.count],
                choice & 1 == 0 ? .request : .response,
                answering: request
            )
            try invariants.check(input.rest(), pieces: pieces)
        }
    }
}
