import MultiplexerCore

extension Multiplexer.Report {
    /// The request that it names, which may be nobody's any more; nil where it names none.
    var request: RequestID?? {
        switch self {
        case .responseTimedOut(let request, _), .heldBack(let request, _): .some(request)
        case .responseDamaged(_, let request): request.map { .some($0) }
        default: nil
        }
    }
}
