/// The last connection that stood, which a device that takes one at a time may still count, so that it does not take the next
/// one.
struct OldConnection {
    /// Nil when the device counts none.
    private var closedAt: Duration?
    private var end = End.ours
    /// How many connections after it the device did not take.
    private var refusals = 0
    /// Whether the device did not take one whatever was asked.
    private var isProven = false
    /// How long the device counted a connection when it last refused a new one for it; less each time it does not.
    private var learnedTimes = LearnedTimes()

    /// The wait after the first refusal, doubled after each.
    private static let firstWait = Duration.milliseconds(20)
    private static let longestWait = Duration.seconds(1)

    /// How the connection ended.
    enum End {
        /// We closed it: until that has reached the device, and it has let go of it, much time may pass.
        case ours
        /// We closed it after the device had said that it would.
        case announced
        /// The device ended it, so that it counts it for a moment at most.
        case theirs

        /// How long a device may count it; what refuses for longer is gone.
        fileprivate var longest: Duration { self == .theirs ? .seconds(1) : .seconds(15) }

        /// How many connections may end on what the device had not answered before until that is held against the request.
        ///
        /// Where the device ends each one itself, that one was old tells hardly anything.
        fileprivate var forbearance: Int { self == .ours ? 3 : 0 }
    }

    /// What an old connection means for one that was asked, answered nothing and ended.
    enum Excuse {
        /// The device did not take it, whatever it was asked.
        case proven
        /// The device probably did not take it.
        case presumed
    }

    private struct LearnedTimes {
        var afterOurs = Duration.zero
        var afterTheirs = Duration.zero

        subscript(end: End) -> Duration {
            get { end == .theirs ? afterTheirs : afterOurs }
            set { if end == .theirs { afterTheirs = newValue } else { afterOurs = newValue } }
        }
    }

    /// A connection that stood has ended.
    ///
    /// - Returns: How long to wait for the next one.
    mutating func closed(at now: Duration, _ end: End) -> Duration {
        (closedAt, self.end, refusals, isProven) = (now, end, 0, false)
        return learnedTimes[end]
    }

    /// No more than `limit` is remembered of how long the device counts a connection.
    mutating func limitLearned(to limit: Duration) {
        learnedTimes.afterOurs = min(learnedTimes.afterOurs, limit)
        learnedTimes.afterTheirs = min(learnedTimes.afterTheirs, limit)
    }

    /// Whether nobody knows yet that the device no longer counts it.
    var isRemembered: Bool { closedAt != nil }

    /// Whether a device that does not take a connection may do so for this one.
    func mayBeCounted(at now: Duration) -> Bool {
        closedAt.map { now - $0 < end.longest } ?? false
    }

    /// Whether a connection that was asked, by trusted clients alone or not, and answered nothing may have ended for this one;
    /// nil if not.
    func excuse(for blame: Multiplexer.Blame, isTrusted: Bool, at now: Duration) -> Excuse? {
        guard mayBeCounted(at: now) else { return nil }
        let isExcused =
            switch (blame, end) {
            case (.device, _): true
            case (.nobody, .theirs), (.request, .theirs): isTrusted
            case (.nobody, _): true
            case (.request, _): refusals < end.forbearance
            }
        return isExcused ? blame == .device ? .proven : .presumed : nil
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
    mutating func responded(attempt: Duration, limit: Duration) -> Duration? {
        guard let closedAt else { return nil }
        self.closedAt = nil
        guard refusals > 0 else {
            learnedTimes[end] = learnedTimes[end] < Self.firstWait ? .zero : learnedTimes[end] / 2
            return nil
        }
        let time = max(attempt - closedAt, .zero)
        if isProven { learnedTimes[end] = min(time, limit) }
        return time
    }
}
