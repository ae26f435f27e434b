extension Multiplexer.DeviceLink {
    /// Where the connection stands.
    enum State {
        /// None, and nobody wants one, or the device still counts the last one. Exits: connecting.
        case down
        /// None: it ended unused, or was closed since nothing was asked. The next is opened for a request. Exits: down.
        case resting
        /// Asked for. Exits: delaying, ready, closing, backingOff.
        case connecting(LinkID, until: Duration)
        /// Stands; the device is left alone for a while. Exits: ready, closing, down, backingOff.
        case delaying(LinkID, until: Duration)
        /// Stands and carries requests. Exits: ended, closing, down, resting, backingOff.
        case ready(LinkID)
        /// Ended, as a request that could not be sent has shown. Exits: down, resting, backingOff.
        case ended(LinkID)
        /// To be closed; nothing else is opened until it is. Exits: what comes next.
        case closing(LinkID, next: Next)
        /// None; the next attempt is being waited for, and requests fail at once. Exits: down.
        case backingOff(until: Duration)
    }

    /// What follows the end of a connection.
    enum Next {
        case down
        case resting
        case backingOff
    }

    /// What the connection was good for.
    ///
    /// Only an answer, not accepting it, shows that the device works: a device that is full accepts and closes at once.
    /// And only a question without an answer shows that it does not: many devices close what is idle.
    enum Use {
        case unused
        case asked
        case responded
        /// It answered, and said that it takes no further request.
        case respondedLast
    }

    /// What was lost with a connection.
    struct Loss {
        var unanswered: Int
        var isMidResponse: Bool
        /// Whether any of it may be sent again.
        var mayRepeat: Bool
        var blame: Multiplexer.Blame
        /// Whether all that asked for it are trusted.
        var isTrusted: Bool
    }

    /// What the end of a connection means for the requests.
    enum Consequence {
        /// Another one is opened when it is due; `excuse` if the device may never have taken this one.
        case goesOn(repeatsReads: Bool, excuse: OldConnection.Excuse? = nil)
        /// All fail until the next attempt.
        case backsOff
    }

    /// What there is to do for a connection.
    struct Demand {
        /// There are clients, and no drain.
        var hasClients: Bool
        var hasInFlight: Bool
        var hasWaiting: Bool
        var isDraining: Bool

        var isAny: Bool { hasInFlight || hasClients }
        var isIdle: Bool { !hasInFlight && !hasWaiting }
    }
}
