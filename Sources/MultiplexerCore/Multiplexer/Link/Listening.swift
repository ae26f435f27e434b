/// A while in which the line is listened to: what comes is nobody's answer, and nothing is sent until it has been quiet.
struct Listening {
    /// How long it must be quiet.
    private let time: Duration
    /// Until when that is, if nothing comes.
    private(set) var until: Duration
    private let limit: Duration

    /// How many times as long as it must be quiet the line is listened to at most.
    private static let longest = 4

    /// Begins to listen; nil where no time is asked for.
    init?(for time: Duration, at now: Duration) {
        guard time > .zero else { return nil }
        self.time = time
        until = now + time
        limit = now + time * Self.longest
    }

    func isOver(at now: Duration) -> Bool { now >= until }

    /// Bytes came: they put the next request off, but not beyond the limit.
    mutating func heard(at now: Duration) { until = min(now + time, limit) }
}
