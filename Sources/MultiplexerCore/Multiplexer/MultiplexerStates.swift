extension Multiplexer {
    /// How far a shutdown is.
    enum Drain: Equatable {
        /// Exits: finishing.
        case notRequested
        /// Requests are in flight. Exits: closing, overdue.
        case finishing(until: Duration)
        /// Clients and the connection are being closed. Exits: done, overdue.
        case closing(until: Duration)
        /// Its time ran out. Exits: done.
        case overdue
        /// Over.
        case done

        var deadline: Duration? {
            switch self {
            case .finishing(let deadline), .closing(let deadline): deadline
            case .notRequested, .overdue, .done: nil
            }
        }
    }

    struct Waiting {
        var id: RequestID
        var request: Request
        var deadline: Duration
        /// Whether it was sent before, to a connection that ended.
        var isRepeat = false
    }

    struct InFlight {
        var transactionID: UInt16
        var request: Request
        /// Who gets the response; nil once the client has left or its time is up.
        var asker: (request: RequestID, client: ClientID)?
        var askerDeadline: Duration
        var deviceDeadline: Duration
        var isRepeat: Bool
        /// No byte of it has left.
        var isUnsent = false

        /// Whether sending it again could change nothing, and bring its answer.
        var isRead: Bool { !request.mayWrite && request.expectsResponse }

        func isAnswered(by response: Response) -> Bool {
            request.expectsResponse && matches(response)
        }

        /// Whether the device takes a broadcast for a request like others.
        func isBroadcast(answeredBy response: Response) -> Bool {
            !request.expectsResponse && matches(response)
        }

        private func matches(_ response: Response) -> Bool {
            transactionID == response.transactionID && request.correlation == response.correlation
        }
    }
}
