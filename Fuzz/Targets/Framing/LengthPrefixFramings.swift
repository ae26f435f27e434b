import MultiplexerCore

extension FramingUnderTest {
    /// Every way to write a length, with and without bytes before it, long and short.
    static let lengthPrefixed = prefixes.map {
        FramingUnderTest(LengthPrefixFraming($0), maximumLength: $0.maximumLength)
    }

    /// ISO 8583 messages, also behind a TPDU that passes through.
    static let iso8583 = ([.twoBytes, .fourDigits] + prefixes.filter { $0.headerBytes == 5 } + uncounted).map {
        prefix in
        let rules = ISO8583MessageRules(messageOffset: prefix.headerBytes + prefix.lengthBytes + prefix.uncountedBytes)
        var tested = FramingUnderTest(
            LengthPrefixFraming(prefix),
            rules,
            maximumLength: prefix.maximumLength
        )
        tested.checkFrame = { frame throws(Violation) in
            var answer = Array(frame)
            let request = rules.request(answer.span)
            guard let type = rules.messageType(of: answer.span), type.expectsResponse else { return }
            ISO8583MessageType.makeResponse(&answer, at: rules.messageOffset)
            let response = rules.response(answer.span)
            guard response.correlation == request.correlation, !response.isUnsolicited else {
                throw Violation("\(answer.hex) does not answer \(frame.hex)")
            }
        }
        return tested
    }

    private static let prefixes: [LengthPrefix] = counted + uncounted

    /// Bytes that the length does not count: two reserved ones, with a short limit too, and the frame of a logger stick.
    private static let uncounted: [LengthPrefix] = [
        try? LengthPrefix(uncountedBytes: 2), try? LengthPrefix(uncountedBytes: 2, maximumLength: 40),
        try? LengthPrefix(headerBytes: 1, order: .little, uncountedBytes: 10),
        try? LengthPrefix(includesHeader: true, uncountedBytes: 64),
    ].compactMap { $0 }

    private static let counted: [LengthPrefix] = LengthPrefix.Format.allCases.flatMap { format in
        lengths.flatMap { lengthBytes, order in
            settings.compactMap { headerBytes, includesHeader, maximumLength in
                try? LengthPrefix(
                    headerBytes: headerBytes,
                    lengthBytes: lengthBytes,
                    format: format,
                    order: order,
                    includesHeader: includesHeader,
                    maximumLength: maximumLength
                )
            }
        }
    }

    private static let lengths: [(Int, LengthPrefix.Order)] = [
        (1, .big), (2, .big), (2, .little), (4, .big), (4, .little),
    ]

    private static let settings: [(headerBytes: Int, includesHeader: Bool, maximumLength: Int?)] = [
        (0, false, nil), (0, true, nil), (5, false, nil), (5, true, nil), (0, false, 40), (5, true, 40),
    ]
}
