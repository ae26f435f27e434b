import MultiplexerCore

/// What a framing makes of some bytes.
enum Verdict: Equatable {
    case open
    case length(Int)
    case error(FramingError)

    /// Whether the two differ in no more than the words of an error.
    func isLike(_ other: Verdict) -> Bool {
        if case (.error, .error) = (self, other) { return true }
        return self == other
    }
}

// What takes and gives arrays, and looks at what comes of it.

extension Framing {
    func verdict(on bytes: ArraySlice<UInt8>, _ direction: Direction, respondingTo request: Request? = nil) -> Verdict {
        do {
            return try frameLength(in: bytes.span, direction, respondingTo: request).map(Verdict.length) ?? .open
        } catch {
            return .error(error)
        }
    }

    func sealed(_ message: [UInt8], transactionID: UInt16) -> [UInt8] {
        var output: [UInt8] = []
        seal(message.span, transactionID: transactionID, into: &output)
        return output
    }

    func opened(_ frame: ArraySlice<UInt8>) throws(Violation) -> (message: [UInt8], transactionID: UInt16) {
        let envelope = envelope(of: frame.span)
        guard envelope.message.lowerBound >= 0, envelope.message.upperBound <= frame.count else {
            throw Violation("a message at \(envelope.message) in a frame of \(frame.count) bytes")
        }
        return (
            Array(frame.dropFirst(envelope.message.lowerBound).prefix(envelope.message.count)), envelope.transactionID
        )
    }

    /// A message put into an envelope is one whole frame that says the same.
    func checkSealed(
        _ message: [UInt8],
        transactionID: UInt16,
        _ direction: Direction,
        respondingTo request: Request? = nil
    ) throws(Violation) {
        let frame = sealed(message, transactionID: transactionID)
        let verdict = verdict(on: frame[...], direction, respondingTo: request)
        guard verdict == .length(frame.count) else {
            throw Violation("\(message.hex) sealed as \(frame.hex) is not one frame: \(verdict)")
        }
        let (again, id) = try opened(frame[...])
        guard again == message, id == (carriesTransactionIDs ? transactionID : 0) else {
            throw Violation("\(message.hex) sealed under \(transactionID) says \(again.hex) under \(id)")
        }
    }
}

extension MessageRules {
    /// What the device gets.
    func requestForDevice(_ request: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        requestForDevice(request.span, into: &output)
        return output
    }

    /// What the client gets.
    func responseForClient(_ response: [UInt8], respondingTo request: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        responseForClient(response.span, respondingTo: request.span, into: &output)
        return output
    }
}

extension Sequence<UInt8> {
    /// Such as "01 83 0B".
    var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(separator: " ")
    }
}
