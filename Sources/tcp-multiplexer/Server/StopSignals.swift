/// What each signal to stop asks for: the first one a drain, a further one the end at once.
struct StopSignals {
    enum Answer {
        case drain
        case ignore
        case stopAtOnce
    }

    /// Wrappers repeat a signal at once: coreutils' timeout signals its child, then the group that the child is in.
    static let repetition = Duration.milliseconds(250)

    private var first: ContinuousClock.Instant?

    mutating func answer(at now: ContinuousClock.Instant) -> Answer {
        guard let first else {
            first = now
            return .drain
        }
        return now - first < Self.repetition ? .ignore : .stopAtOnce
    }
}
