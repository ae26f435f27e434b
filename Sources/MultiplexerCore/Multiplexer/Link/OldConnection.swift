/// The last connection that we closed, which a device that takes one at a time may still count, so that it does not take the
/// next one.
struct OldConnection {
    /// Nil when the device counts none.
    private var closedAt: Duration?
    /// How many connections after it the device did not take.
    private var refusals = 0
    /// How many connections may end on what the device had not answered before until that counts as a hang-up.
    private var forbearance = 0
    /// Whether it was no matter of what was asked that the device did not take one.
    private var isProven = false
    /// How long the device counted a connection when it last refused a new one for it; less each time it does not.
    private(set) var learnedTime = Duration.zero

    /// How long a device may count it; what refuses for longer is gone.
    private static let longest = Duration.seconds(15)
    /// The wait after the first refusal, doubled after each.
    private static let firstWait = Duration.milliseconds(20)
    private static let longestWait = Duration.seconds(1)
    private static let forbearanceAtMost = 3

    /// We closed a connection; with `endedByDevice` the device had said that it would.
    ///
    /// Where it ends each connection itself, that one was old tells hardly anything.
    mutating func closed(at now: Duration, endedByDevice: Bool) {
        (closedAt, refusals, isProven) = (now, 0, false)
        forbearance = endedByDevice ? 0 : Self.forbearanceAtMost
    }

    /// Whether a device that does not take a connection may do so for this one.
    func mayBeCounted(at now: Duration) -> Bool {
        closedAt.map { now - $0 < Self.longest } ?? false
    }

    /// Whether a connection that was asked and answered nothing may have ended for this one.
    func mayBeCounted(at now: Duration, blaming blame: Multiplexer.Blame) -> Bool {
        mayBeCounted(at: now) && (blame != .request || refusals < forbearance)
    }

    /// The device did not take a connection, whatever it was asked if `isProven`.
    ///
    /// - Returns: How long to wait for the next attempt.
    mutating func refused(isProven: Bool) -> Duration {
        let wait = min(Self.firstWait * (1 << min(refusals, 10)), Self.longestWait)
        refusals += 1
        if isProven { self.isProven = true }
        return wait
    }

    /// The device answers on a connection that was asked for at `attempt`, so that it counts no other.
    ///
    /// - Returns: How long it counted this one; nil if it refused nothing. No more than `limit` of it is remembered.
    mutating func answered(attempt: Duration, limit: Duration) -> Duration? {
        guard let closedAt else { return nil }
        self.closedAt = nil
        guard refusals > 0 else {
            learnedTime = learnedTime < Self.firstWait ? .zero : learnedTime / 2
            return nil
        }
        let time = max(attempt - closedAt, .zero)
        if isProven { learnedTime = min(time, limit) }
        return time
    }
}
