/// What the bytes that come next on a connection are, shared by the two handlers around llhttp.
///
/// The codec knows it, since it sees what llhttp has parsed; the head guard acts on it before llhttp sees more.
final class HTTPStream {
    /// What comes next.
    var next: Next

    enum Next {
        /// A message's head.
        case head
        /// So many bytes of a body.
        case body(Int)
        /// Chunks and what is around them.
        case chunks
        /// A body that ends with the connection.
        case bodyToEnd
        /// Nothing more is due.
        case nothing
    }

    init(_ next: Next) {
        self.next = next
    }

    /// Whether a head comes next, or is not yet complete.
    var isInHead: Bool { if case .head = next { true } else { false } }
}

@available(*, unavailable)
extension HTTPStream: Sendable {}
