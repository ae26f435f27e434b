/// What the messages of an application protocol say, however they are framed.
package protocol MessageRules: Hashable, Sendable {
    /// Whether a client that has closed its sending side may still wait for responses.
    ///
    /// Where not, the end of its stream means that the client has left, as it always does over TLS.
    var allowsHalfClosure: Bool { get }

    /// Whether the device sends messages of its own accord, which ``response(_:)`` tells from answers.
    var deviceMayInitiate: Bool { get }

    /// Why a request must not be sent; nil for one that may.
    func refusal(of request: Span<UInt8>) -> RequestRefusal?

    /// What the core needs to know of a request that may be sent.
    func request(_ message: Span<UInt8>) -> Request

    /// What a request asks for, in a few words for the log.
    func summary(ofRequest message: Span<UInt8>) -> String

    /// What the core needs to know of a response; its transaction id is in the envelope.
    func response(_ message: Span<UInt8>) -> Response

    /// What a response says went wrong, in a few words for the log; nil for an answer.
    func failure(in response: Span<UInt8>) -> String?

    /// Appends what the device gets of a client's request.
    func requestForDevice(_ request: Span<UInt8>, into output: inout [UInt8])

    /// Appends what the client gets of the device's response to its request.
    func responseForClient(_ response: Span<UInt8>, respondingTo request: Span<UInt8>, into output: inout [UInt8])

    /// Appends the message that tells the client that its request failed.
    ///
    /// - Parameters:
    ///   - request: The request's message.
    ///   - failure: Why there is no response.
    ///   - output: Where the message is appended.
    /// - Returns: False where the protocol has no such message: then closing the client is the reply.
    func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool

    /// Appends the message that tells the client that its request was refused.
    ///
    /// - Parameters:
    ///   - request: The request's message.
    ///   - refusal: Why it is not sent.
    ///   - output: Where the message is appended.
    /// - Returns: False where the protocol has no such message: then closing the client is the reply.
    func respond(toRefused request: Span<UInt8>, _ refusal: RequestRefusal, into output: inout [UInt8]) -> Bool
}

// Most messages pass through as they are.
extension MessageRules {
    /// Most protocols leave it to their framing, or to the device.
    package func refusal(of request: Span<UInt8>) -> RequestRefusal? { nil }

    /// Few protocols have a form for it.
    package func failure(in response: Span<UInt8>) -> String? { nil }

    /// Few protocols can say so.
    package func respond(toRefused request: Span<UInt8>, _ refusal: RequestRefusal, into output: inout [UInt8]) -> Bool
    {
        false
    }

    /// Most devices speak only when asked.
    package var deviceMayInitiate: Bool { false }

    /// The request as it is.
    package func requestForDevice(_ request: Span<UInt8>, into output: inout [UInt8]) {
        output.append(contentsOf: request)
    }

    /// The response as it is.
    package func responseForClient(
        _ response: Span<UInt8>,
        respondingTo request: Span<UInt8>,
        into output: inout [UInt8]
    ) {
        output.append(contentsOf: response)
    }
}
