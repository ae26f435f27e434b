extension Multiplexer {
    /// What has happened so far.
    public struct Statistics: Hashable, Sendable {
        /// Requests that clients sent.
        public internal(set) var requests = 0
        /// Requests sent to the device.
        public internal(set) var sent = 0
        /// Responses given to the client that asked.
        public internal(set) var responses = 0
        /// Requests that failed since the device was unreachable.
        public internal(set) var unreachable = 0
        /// Requests that the device did not answer.
        public internal(set) var unanswered = 0
        /// Requests whose time ran out.
        public internal(set) var expired = 0
        /// Requests that a shutdown ended.
        public internal(set) var drained = 0
        /// Requests whose client left before they ended.
        public internal(set) var abandoned = 0
        /// Responses that answered nothing in flight, and were dropped.
        public internal(set) var strays = 0
        /// Connections to the device that were asked for.
        public internal(set) var connects = 0

        /// Requests that have ended, whichever way.
        public var ended: Int { responses + unreachable + unanswered + expired + drained + abandoned }

        mutating func count(_ failure: Failure) {
            switch failure {
            case .unreachable: unreachable += 1
            case .unanswered: unanswered += 1
            case .expired: expired += 1
            case .draining: drained += 1
            }
        }
    }
}
