/// How long to wait before connecting again: doubled at each failure up to a cap, spread by jitter.
public struct Backoff: Hashable, Sendable {
    /// The wait after the first failure, before jitter; at least 10 ms are kept.
    public var initial: Duration
    /// The longest wait, jitter included.
    public var maximum: Duration

    /// A wait of nothing would never grow: attempts would follow each other as fast as the machine can.
    static let shortest = Duration.milliseconds(10)

    /// Waits that begin with `initial` and never exceed `maximum`; a smaller maximum is raised to `initial`.
    public init(initial: Duration = .seconds(1), maximum: Duration = .seconds(30)) {
        self.initial = initial
        self.maximum = max(initial, maximum)
    }

    /// The wait after `failures` failures in a row, 1 or more.
    ///
    /// | failures | wait with the defaults |
    /// |---|---|
    /// | 1 | 0.8 to 1.2 s |
    /// | 2 | 1.6 to 2.4 s |
    /// | 5 | 12.8 to 19.2 s |
    /// | 6 and more | 24 to 30 s |
    func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let maximum = max(maximum, Self.shortest)
        var delay = max(initial, Self.shortest)
        for _ in 1..<max(failures, 1) where delay < maximum {
            delay *= 2
        }
        delay = min(delay, maximum)
        return min(delay / 100 * Int.random(in: 80...120, using: &generator), maximum)
    }
}
