import MultiplexerCore

/// A framing with its settings and rules, and what is known of it beside.
struct FramingUnderTest: Sendable {
    let framing: any Framing
    let rules: any MessageRules
    /// The rules as they were without a map of units: what the device reads in what it gets, and the client in what it gets.
    let plainRules: any MessageRules
    /// The longest frame, whichever way it travels.
    let maximumLength: Int

    /// Whether only the end of what has arrived shows where the frame ends that these bytes begin with.
    var isOpenEnded: @Sendable (_ bytes: ArraySlice<UInt8>, Direction, Request?) -> Bool = { _, _, _ in false }
    /// What to make of these bytes, found in a way that is slow and plain to see; the words of an error do not matter.
    var expected: (@Sendable (_ bytes: ArraySlice<UInt8>) -> Verdict)?
    /// What else holds for each frame.
    var checkFrame: @Sendable (_ frame: ArraySlice<UInt8>) throws(Violation) -> Void = { _ throws(Violation) in }

    init(
        _ framing: any Framing,
        _ rules: any MessageRules = OpaqueMessageRules(),
        plainRules: (any MessageRules)? = nil,
        maximumLength: Int
    ) {
        self.framing = framing
        self.rules = rules
        self.plainRules = plainRules ?? rules
        self.maximumLength = maximumLength
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
                respondingTo: request
            )
            try invariants.check(input.rest(), pieces: pieces)
        }
    }
}
