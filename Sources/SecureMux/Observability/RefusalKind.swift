import MultiplexerCore

/// What refused clients are counted by: a value of ours, one of not many, and never what a client wrote.
enum RefusalKind: Hashable {
    case tls(TLSRefusal.Kind)
    /// By the status of the answer; nil where there is none.
    case http(status: Int?)
    /// Bytes that are no request of the protocol.
    case notTheProtocol
    /// TLS, to a listener without it.
    case unexpectedTLS
    /// The messages of all clients take too much memory, and its own the most.
    case tooMuchMemory
    case other

    init(_ refusal: any ClientRefusal) {
        switch refusal {
        case let refusal as TLSRefusal: self = .tls(refusal.kind)
        case let refusal as HTTPRefusal: self = .http(status: refusal.violation.status)
        default: self = .other
        }
    }
}
