import MultiplexerCore

/// What holds for every framing and every stream, well-formed or not.
struct FramingInvariants {
    private let tested: FramingUnderTest
    private let direction: Direction
    /// The request that responses answer.
    private let pending: (message: [UInt8], request: Request)?

    /// Responses answer the request with this message; where no client could have sent it, none.
    init(_ tested: FramingUnderTest, _ direction: Direction, respondingTo message: [UInt8]) {
        self.tested = tested
        self.direction = direction
        let frame = tested.framing.sealed(message, transactionID: 0)
        if direction == .response, tested.framing.verdict(on: frame[...], .request) == .length(frame.count) {
            pending = (message, tested.rules.request(message.span))
        } else {
            pending = nil
        }
    }

    /// Checks all of them on this stream, which comes in pieces of these lengths in turn.
    func check(_ stream: [UInt8], pieces: [Int]) throws(Violation) {
        let (frames, end, isOpenEnded) = try cut(stream)
        if !isOpenEnded { try checkPieces(of: stream, pieces, frames, end) }
        for frame in frames {
            try tested.checkFrame(frame)
            try checkEnvelope(of: frame)
            switch direction {
            case .request: try checkRequest(frame)
            case .response: try checkResponse(frame)
            }
        }
    }
}

// MARK: - Where frames end

extension FramingInvariants {
    /// Cuts the stream as it comes byte by byte, and says what is made of its end.
    private func cut(
        _ stream: [UInt8]
    ) throws(Violation) -> (frames: [ArraySlice<UInt8>], end: Verdict, isOpenEnded: Bool) {
        var frames: [ArraySlice<UInt8>] = []
        var rest = stream[...]
        while true {
            if tested.isOpenEnded(rest, direction, pending?.request) {
                let verdict = try openVerdict(on: rest)
                return (verdict == .length(rest.count) ? frames + [rest] : frames, verdict, true)
            }
            let verdict = try lastingVerdict(on: rest)
            guard case .length(let length) = verdict, length <= rest.count else { return (frames, verdict, false) }
            frames.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
    }

    /// What is made of `bytes` as each of them comes: once that is known, further bytes do not change it.
    ///
    /// Only a checksum can show that a frame whose length was known is none.
    private func lastingVerdict(on bytes: ArraySlice<UInt8>) throws(Violation) -> Verdict {
        var lasting = Verdict.open
        var count = 0
        var errors = 0
        while count <= bytes.count {
            let verdict = self.verdict(on: bytes.prefix(count))
            if verdict != lasting || count == bytes.count {
                switch (lasting, verdict) {
                case (.open, _), (.length(count), .error): lasting = verdict
                default: guard lasting == verdict else { throw Violation("\(lasting) became \(verdict) at \(count)") }
                }
                if let expected = tested.expected?(bytes.prefix(count)), !expected.isLike(verdict) {
                    throw Violation("\(verdict) instead of \(expected) at \(count)")
                }
            }
            switch verdict {
            case .open where count >= tested.maximumLength:
                throw Violation("\(count) bytes are not enough to tell; a frame has at most \(tested.maximumLength)")
            case .length(let length) where !(1...tested.maximumLength).contains(length):
                throw Violation("a frame of \(length) bytes; 1 to \(tested.maximumLength) are possible")
            // What follows is the next frame, which the pieces check.
            case .length(let length) where count >= length + 4:
                return verdict
            // Words take their time: the error must be the same with one byte more, and with all of them.
            case .error where errors > 0:
                count = max(count + 1, bytes.count)
            case .error:
                errors += 1
                count += 1
            default:
                count += 1
            }
        }
        return lasting
    }

    /// What is made of `bytes` where only the end of what has arrived shows the end of a frame: all of it is one, or none.
    private func openVerdict(on bytes: ArraySlice<UInt8>) throws(Violation) -> Verdict {
        var last = Verdict.open
        for count in 0...bytes.count {
            let verdict = self.verdict(on: bytes.prefix(count))
            switch verdict {
            case .length(let length) where length != count || length > tested.maximumLength:
                throw Violation("a frame of \(length) bytes when \(count) had come")
            case .open where count >= tested.maximumLength:
                throw Violation("\(count) bytes are not enough to tell; a frame has at most \(tested.maximumLength)")
            case .error:
                // Words take their time: it must still be an error with all of the bytes.
                let last = self.verdict(on: bytes)
                guard last.isLike(verdict) else { throw Violation("\(verdict) at \(count) became \(last)") }
                return last
            default:
                last = verdict
            }
        }
        return last
    }

    /// The pieces that a stream comes in make no difference.
    private func checkPieces(
        of stream: [UInt8],
        _ pieces: [Int],
        _ expected: [ArraySlice<UInt8>],
        _ expectedEnd: Verdict
    ) throws(Violation) {
        for pieces in [pieces, [stream.count]] {
            var frames: [ArraySlice<UInt8>] = []
            var end = Verdict.open
            var received = 0
            var begin = 0
            var turn = 0
            feeding: while received < stream.count {
                received = min(received + pieces[turn % pieces.count], stream.count)
                turn += 1
                while begin < received {
                    end = verdict(on: stream[begin..<received])
                    if case .error = end { break feeding }
                    guard case .length(let length) = end, begin + length <= received else { break }
                    frames.append(stream[begin..<begin + length])
                    begin += length
                    end = .open
                }
            }
            guard frames == expected, end == expectedEnd else {
                throw Violation(
                    "in pieces of \(pieces): \(frames.map(\.count)), then \(end); "
                        + "byte by byte: \(expected.map(\.count)), then \(expectedEnd)"
                )
            }
        }
    }

    private func verdict(on bytes: ArraySlice<UInt8>) -> Verdict {
        tested.framing.verdict(on: bytes, direction, respondingTo: pending?.request)
    }
}

// MARK: - What frames hold

extension FramingInvariants {
    private var framing: any Framing { tested.framing }
    private var rules: any MessageRules { tested.rules }
    private var plainRules: any MessageRules { tested.plainRules }

    /// A message has one frame only: sealed anew, it is the frame that it was cut from.
    private func checkEnvelope(of frame: ArraySlice<UInt8>) throws(Violation) {
        let (message, id) = try framing.opened(frame)
        if !framing.carriesTransactionIDs, id != 0 { throw Violation("an id where the wire has none: \(id)") }
        let again = framing.sealed(message, transactionID: id)
        if again[...] != frame { throw Violation("sealed anew, \(frame.hex) became \(again.hex)") }
        try framing.checkSealed(message, transactionID: ~id, direction, respondingTo: pending?.request)
        var output: [UInt8] = [0xA5]
        framing.seal(message.span, transactionID: id, into: &output)
        guard output == [0xA5] + again else { throw Violation("sealing did not append: \(output.hex)") }
    }

    private func checkRequest(_ frame: ArraySlice<UInt8>) throws(Violation) {
        let (message, id) = try framing.opened(frame)
        let request = rules.request(message.span)
        if rules.summary(ofRequest: message.span).isEmpty { throw Violation("a request without a summary") }
        let forwarded = rules.requestForDevice(message)
        try framing.checkSealed(forwarded, transactionID: id, .request)
        guard plainRules.request(forwarded.span) == request else {
            throw Violation("\(message.hex) is forwarded as \(forwarded.hex), which asks for something else")
        }
        // Of a request that expects no response nobody is told that it failed.
        guard request.expectsResponse else { return }
        let asked = plainRules.request(message.span)
        for failure in Failure.allCases {
            var reply: [UInt8] = []
            guard rules.respond(toFailed: message.span, failure, into: &reply) else {
                guard reply.isEmpty else { throw Violation("no reply, and yet \(reply.hex)") }
                continue
            }
            try framing.checkSealed(reply, transactionID: id, .response, respondingTo: asked)
            let response = plainRules.response(reply.span)
            guard response.correlation == asked.correlation, !response.isUnsolicited else {
                throw Violation("\(reply.hex) says that \(message.hex) failed and does not answer it")
            }
        }
    }

    private func checkResponse(_ frame: ArraySlice<UInt8>) throws(Violation) {
        let (message, id) = try framing.opened(frame)
        let response = rules.response(message.span)
        guard let pending, pending.request.expectsResponse, response.correlation == pending.request.correlation,
            !response.isUnsolicited
        else { return }
        let given = rules.responseForClient(message, respondingTo: pending.message)
        let asked = plainRules.request(pending.message.span)
        try framing.checkSealed(given, transactionID: id, .response, respondingTo: asked)
        guard plainRules.response(given.span).correlation == asked.correlation else {
            throw Violation("\(given.hex) is given to a client that asked \(pending.message.hex)")
        }
    }
}
