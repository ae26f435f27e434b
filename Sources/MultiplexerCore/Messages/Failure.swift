/// Why a request ends without a response.
package enum Failure: Hashable, Sendable, CaseIterable {
    /// There is no connection to the device: connecting failed, or the next attempt is being waited for.
    case unreachable
    /// The request was sent and the device did not answer it in time.
    case unanswered
    /// The request was sent and its answer was lost with the connection, or came damaged.
    case connectionLost
    /// The request's time ran out before its turn came, or while the device worked on it.
    case expired
    /// The program is shutting down.
    case draining
    /// The device ended its connection each time that it was asked this, so that it is not asked again for a while.
    case heldBack
}
