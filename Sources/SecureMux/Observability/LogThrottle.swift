import NIOCore

/// Limits how often the log tells of an event that anyone can cause without limit.
///
/// The first events use up an allowance of lines. After that, an event is told if its number in the run is a power of two.
/// A run ends after a minute without an event, and then the allowance is there again; or it comes back steadily, so that
/// an event that never stops is told again and again, but never so often that it fills the disk.
struct LogThrottle {
    /// How many events there were.
    private(set) var total = 0
    /// Whether some events of this run were not told.
    private(set) var hasUntold = false

    private let burst: Int
    private let perMinute: Int?
    private var allowance: Double
    private var run = 0
    private var last: NIODeadline?

    private static let calm = TimeAmount.minutes(1)

    /// An allowance of `burst` lines for each run or, with `perMinute`, one that `perMinute` lines a minute come back to.
    init(burst: Int = 1, perMinute: Int? = nil) {
        self.burst = burst
        self.perMinute = perMinute
        allowance = Double(burst)
    }

    /// Counts one more event.
    ///
    /// - Returns: Whether it is to be told.
    mutating func count(at now: NIODeadline = .now()) -> Bool {
        if let last {
            let pause = now - last
            if let perMinute {
                let minutes = Double(pause.nanoseconds) / Double(TimeAmount.minutes(1).nanoseconds)
                allowance = min(allowance + minutes * Double(perMinute), Double(burst))
            }
            if pause > Self.calm {
                run = 0
                hasUntold = false
                if perMinute == nil { allowance = Double(burst) }
            }
        }
        last = now
        run += 1
        total += 1
        if allowance >= 1 {
            allowance -= 1
            return true
        }
        let isTold = run & (run - 1) == 0
        if !isTold { hasUntold = true }
        return isTold
    }
}

/// Counts the kinds of one thing separately, so that none hides the others.
///
/// A kind is a value of which there are not many, so that it needs no limit; never words that somebody else wrote.
struct LogThrottleByKind<Kind: Hashable> {
    private let new: LogThrottle
    private var kinds: [Kind: LogThrottle] = [:]

    /// Counts each kind like `each`.
    init(_ each: LogThrottle) {
        new = each
    }

    /// Counts one more event of a kind.
    ///
    /// - Returns: Whether it is to be told, and the count of its kind.
    mutating func count(_ kind: Kind, at now: NIODeadline = .now()) -> (isDue: Bool, of: LogThrottle) {
        var repetitions = kinds[kind] ?? new
        let isDue = repetitions.count(at: now)
        kinds[kind] = repetitions
        return (isDue, repetitions)
    }
}
