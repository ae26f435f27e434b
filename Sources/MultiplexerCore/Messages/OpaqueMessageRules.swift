/// Messages that mean nothing to us: every request is taken for a write, any message answers it.
package struct OpaqueMessageRules: MessageRules {
    /// The one set of these rules.
    package init() {}

    /// `printf … | nc` closes its sending side and waits.
    package var allowsHalfClosure: Bool { true }

    /// A request that cannot be read might change the device.
    package func request(_ message: Span<UInt8>) -> Request {
        Request(correlation: .none, mayWrite: true, subject: Request.Subject(hashing: message))
    }

    /// Only its length can be told.
    package func summary(ofRequest message: Span<UInt8>) -> String { "\(message.count) bytes" }

    /// Nothing in the message says which request it answers.
    package func response(_ message: Span<UInt8>) -> Response { Response(correlation: .none) }

    /// There is no way to say so.
    package func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        false
    }
}
