import NIOCore

/// Counts something that anyone can make happen as often as he likes, and says when a line of the log is due for it.
///
/// Those that count as a run: the first ones, then the one with twice as many before it, and so on. After a minute without
/// any a new run begins, so that tomorrow's first one is told again.
struct Repetitions {
    /// How many there were.
    private(set) var total = 0

    private let toldSingly: Int
    private var run = 0
    private var last: NIODeadline?

    private static let calm = TimeAmount.minutes(1)

    /// Nothing so far; of a run the first `toldSingly` are told, and then as many as powers of two.
    init(toldSingly: Int = 1) {
        self.toldSingly = toldSingly
    }

    /// Counts one more; says whether it is to be told.
    mutating func count(at now: NIODeadline = .now()) -> Bool {
        if let last, now - last > Self.calm { run = 0 }
        last = now
        run += 1
        total += 1
        return run <= toldSingly || run & (run - 1) == 0
    }
}
