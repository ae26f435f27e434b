import NIOCore

/// Checks from one look at a client to the next whether it has exceeded one of its limits.
struct ClientTimeouts {
    private var last = Observation()
    /// Since when the client has asked for nothing.
    private var idleSince: NIODeadline?
    /// Since when the rest of a request has been awaited.
    private var awaitingSince: NIODeadline?
    /// Since when the client has taken nothing of what is there for it.
    private var stuckSince: NIODeadline?

    /// What can be seen of a client.
    struct Observation {
        /// How many requests it has sent, and how many responses it was given.
        var requests: UInt64 = 0
        var responses: UInt64 = 0
        /// A request of it waits or is in flight.
        var isResponseDue = false
        /// It has begun a request, and we read.
        var isRestDue = false
        /// How many bytes wait to be taken by it, and how many it has taken.
        var unsent = 0
        var accepted: UInt64 = 0
    }

    /// The limit that a client has exceeded.
    enum Expired {
        case idle
        case request
        case write
    }

    /// Compares what is seen of the client now with the last look.
    ///
    /// - Returns: The limit that it has exceeded; nil if none.
    mutating func check(_ observation: Observation, within limits: ClientLimits, at now: NIODeadline) -> Expired? {
        defer { last = observation }
        // What has just begun counts from this look on, and what has changed begins anew.
        stuckSince = observation.unsent == 0 ? nil : observation.accepted == last.accepted ? stuckSince ?? now : now
        let isSameRequest = observation.requests == last.requests
        awaitingSince = !observation.isRestDue ? nil : isSameRequest ? awaitingSince ?? now : now
        let isQuiet = isSameRequest && observation.responses == last.responses
        let isIdle = !observation.isResponseDue && !observation.isRestDue && observation.unsent == 0
        idleSince = !isIdle ? nil : isQuiet ? idleSince ?? now : now

        func isOver(_ limit: Duration, since start: NIODeadline?) -> Bool {
            start.map { now - $0 >= TimeAmount(limit) } ?? false
        }
        if isOver(limits.writeTimeout, since: stuckSince) { return .write }
        if isOver(limits.requestTimeout, since: awaitingSince) { return .request }
        if let limit = limits.idleTimeout, isOver(limit, since: idleSince) { return .idle }
        return nil
    }

    /// Whether another look is due, even if the client does nothing.
    func isWatched(within limits: ClientLimits) -> Bool {
        stuckSince != nil || awaitingSince != nil || limits.idleTimeout != nil
    }
}
