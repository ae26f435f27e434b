/// What refused clients are counted by: a value of ours, one of not many, and never what a client wrote.
enum RefusalKind: Hashable {
    /// By the name of the kind.
    case tls(String)
    /// By the status of the answer; nil where there is none.
    case http(status: Int?)
    /// Bytes that are no request of the protocol.
    case notTheProtocol
    /// TLS, to a listener without it.
    case unexpectedTLS
    /// The messages of all clients take too much memory, and its own the most.
    case tooMuchMemory
}
