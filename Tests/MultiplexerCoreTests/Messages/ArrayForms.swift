import MultiplexerCore

// Expectations cannot hold a span, so these take and give arrays.

extension Framing {
    func envelope(of frame: [UInt8]) -> Envelope { envelope(of: frame.span) }

    func sealed(_ message: [UInt8], transactionID: UInt16) -> [UInt8] {
        var output: [UInt8] = []
        seal(message.span, transactionID: transactionID, into: &output)
        return output
    }
}

extension MessageRules {
    func request(_ message: [UInt8]) -> Request { request(message.span) }

    func correlation(ofResponse message: [UInt8]) -> Correlation { response(message.span).correlation }

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

    /// The failure reply, or nil where the protocol has none.
    func respond(toFailed request: [UInt8], _ failure: Failure) -> [UInt8]? {
        var output: [UInt8] = []
        return respond(toFailed: request.span, failure, into: &output) ? output : nil
    }

    /// What a client is told whose request was refused, or nil where the protocol has no such message.
    func respond(toRefused request: [UInt8], _ refusal: RequestRefusal) -> [UInt8]? {
        var output: [UInt8] = []
        return respond(toRefused: request.span, refusal, into: &output) ? output : nil
    }
}
