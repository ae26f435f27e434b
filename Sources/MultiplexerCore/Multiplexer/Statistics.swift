extension Multiplexer {
    /// What has happened so far.
    package struct Statistics: Hashable, Sendable {
        /// Requests that clients sent.
        package var requests = 0
        /// Requests sent to the device.
        package var sent = 0
        /// Responses given to the client that asked.
        package var responses = 0
        /// Those among them that came for an equal read, and cost the device nothing.
        package var shared = 0
        /// Those among them that had come before the request, and were cached.
        package var cached = 0
        /// How old the oldest of those was when it was given.
        package var greatestAge = Duration.zero
        /// Requests that failed since the device was unreachable.
        package var unreachable = 0
        /// Requests that the device did not answer.
        package var unanswered = 0
        /// Requests whose time ran out.
        package var expired = 0
        /// Requests that were not sent, since the device had ended its connection on such ones.
        package var heldBack = 0
        /// Requests that their client sent again while they were not answered; they count once.
        package var repeated = 0
        /// Requests that a shutdown ended.
        package var drained = 0
        /// Requests whose client left before they ended.
        package var abandoned = 0
        /// Broadcasts that ended, which have no response.
        package var broadcasts = 0
        /// Responses that answered nothing in flight, and were dropped.
        package var strays = 0
        /// Those among them whose request had timed out.
        package var late = 0
        /// Bytes that were no message, and were dropped.
        package var noise = 0
        /// Answers that came damaged.
        package var damaged = 0
        /// Requests that were sent again.
        package var sentAgain = 0
        /// Connections to the device that were asked for.
        package var connects = 0

        /// Nothing has happened yet.
        package init() {}

        /// Requests that have ended, whichever way.
        package var ended: Int {
            responses + unreachable + unanswered + expired + heldBack + drained + abandoned + broadcasts
        }

        mutating func count(_ failure: Failure) {
            switch failure {
            case .unreachable: unreachable += 1
            case .unanswered, .connectionLost: unanswered += 1
            case .expired: expired += 1
            case .draining: drained += 1
            case .heldBack: heldBack += 1
            }
        }
    }
}
