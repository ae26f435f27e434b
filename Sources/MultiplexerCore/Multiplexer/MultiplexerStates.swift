extension Multiplexer {
    /// The connection to the device; there is never more than one.
    enum Link {
        /// None, and nobody wants one. Exits: connecting.
        case down
        /// None: the device closed one that nothing was asked on. The next is opened for a request. Exits: down.
        case resting
        /// Asked for. Exits: settling, ready, closing, backingOff.
        case connecting(LinkID, until: Duration)
        /// Stands; the device is left alone for a while. Exits: ready, closing, backingOff.
        case settling(LinkID, until: Duration)
        /// Stands and carries requests. Exits: closing, down, resting, backingOff.
        case ready(LinkID)
        /// To be closed; nothing else is opened until it is. Exits: down, or backingOff if it failed.
        case closing(LinkID, failed: Bool)
        /// None; the next attempt is being waited for, and requests fail at once. Exits: down.
        case backingOff(until: Duration)

        var deadline: Duration? {
            switch self {
            case .connecting(_, let deadline), .settling(_, let deadline), .backingOff(let deadline): deadline
            case .down, .resting, .ready, .closing: nil
            }
        }

        var holdsConnection: Bool {
            switch self {
            case .down, .resting, .backingOff: false
            case .connecting, .settling, .ready, .closing: true
            }
        }
    }

    /// What the current connection was good for.
    ///
    /// Only an answer, not accepting it, shows that the device works: a device that is full accepts and closes at once. And
    /// only a question without an answer shows that it does not: many devices close what is idle.
    enum LinkUse {
        case unasked
        case asked
        case answered
    }

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
    }

    struct InFlight {
        var transactionID: UInt16
        var request: Request
        /// Who gets the response; nil once the client has left or its time is up.
        var asker: (request: RequestID, client: ClientID)?
        var askerDeadline: Duration
        var deviceDeadline: Duration

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
