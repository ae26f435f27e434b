extension Multiplexer {
    /// What has happened so far.
    package struct Statistics: Hashable, Sendable {
        /// Requests that clients sent.
        package internal(set) var requests = 0
        /// Requests sent to the device.
        package internal(set) var sent = 0
        /// Responses given to the client that asked.
        package internal(set) var responses = 0
        /// Requests that failed since the device was unreachable.
        package internal(set) var unreachable = 0
        /// Requests that the device did not answer.
        package internal(set) var unanswered = 0
        /// Requests whose time ran out.
        package internal(set) var expired = 0
        /// Requests that a shutdown ended.
        package internal(set) var drained = 0
        /// Requests whose client left before they ended.
        package internal(set) var abandoned = 0
        /// Broadcasts that ended, which have no response.
        package internal(set) var broadcasts = 0
        /// Responses that answered nothing in flight, and were dropped.
        package internal(set) var strays = 0
        /// Connections to the device that were asked for.
        package internal(set) var connects = 0

        /// Requests that have ended, whichever way.
        package var ended: Int { responses + unreachable + unanswered + expired + drained + abandoned + broadcasts }

        mutating func count(_ failure: Failure) {
            switch failure {
            case .unreachable: unreachable += 1
            case .unanswered, .connectionLost: unanswered += 1
            case .expired: expired += 1
            case .draining: drained += 1
            }
        }
    }
}
