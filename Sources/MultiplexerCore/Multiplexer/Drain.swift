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
}
