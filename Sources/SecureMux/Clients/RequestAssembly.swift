import MultiplexerCore

/// A handler in front of ``ClientHandler`` that keeps what has come of a request until all of it is there.
protocol RequestAssembly: AnyObject {
    /// Whether a request has begun, and the client is to send the rest.
    var isRestDue: Bool { get }
    /// How many bytes of it are kept.
    var bufferedBytes: Int { get }
    /// Sends the client away for the sake of the request that has begun.
    func giveUp(_ reason: IncompleteRequest)
}

/// Why the rest of a request is not waited for.
enum IncompleteRequest {
    case late
    case tooMuchWithOthers
}

extension HTTPClientCodec: RequestAssembly {
    func giveUp(_ reason: IncompleteRequest) {
        switch reason {
        case .late: giveUp(HTTPViolation.late)
        case .tooMuchWithOthers: giveUp(HTTPViolation.tooMuchWithOthers)
        }
    }
}
