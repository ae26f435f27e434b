/// When the device is left alone between requests: for a distance that it needs, and until its line has fallen quiet.
struct LineQuiet {
    private var gap: Duration
    /// Whether requests keep a distance, which few devices need: to compare times costs more than to know this.
    private var hasGap: Bool
    private var quietTime: Duration
    private var gapEnd = Duration.zero
    private var listening: Listening?
    /// Whether a request was not answered, so that the line must fall quiet before the next one.
    private var mustListen = false

    /// How long bytes that come in addition to an answer take at most.
    private static let excessTime = Duration.milliseconds(100)

    init(gap: Duration, quietTime: Duration) {
        self.gap = gap
        hasGap = gap > .zero
        self.quietTime = quietTime
    }

    /// Other times hold from now on; a longer distance is kept from now, since nobody knows when a shorter one began.
    mutating func replace(gap: Duration, quietTime: Duration, at now: Duration) {
        gapEnd = gap > self.gap ? max(gapEnd, now + gap) : min(gapEnd, now + gap)
        self.gap = gap
        hasGap = gap > .zero
        self.quietTime = quietTime
    }

    /// Whether a request may be sent now.
    func isOver(at now: Duration) -> Bool {
        guard !hasGap || now >= gapEnd else { return false }
        return listening == nil || !isListening(at: now)
    }

    /// Until when no request may be sent; nil if one may be now.
    func end(after now: Duration) -> Duration? {
        guard hasGap || listening != nil else { return nil }
        let end = max(gapEnd, listening?.until ?? gapEnd)
        return now < end ? end : nil
    }

    /// A request was sent, the device answered, or the wait for it is over.
    mutating func startGap(from now: Duration) {
        if hasGap { gapEnd = now + gap }
    }

    /// The device sent what answers nothing, which must not put off the next request without end.
    mutating func startGap(afterStrayAt now: Duration) {
        if hasGap, now >= gapEnd { startGap(from: now) }
    }

    /// A request was not answered: the next one waits until the line is quiet, on the next connection.
    mutating func listensOnNextConnection() { mustListen = quietTime > .zero }

    /// What was asked may have more answers than one: the next request waits until the line is quiet, on this connection.
    mutating func listens(at now: Duration) {
        listening = Listening(for: min(quietTime, Self.excessTime), at: now)
    }

    /// Something came on the line.
    ///
    /// - Returns: Whether it is listened to, so that what came is nobody's.
    mutating func hears(at now: Duration) -> Bool {
        guard isListening(at: now) else { return false }
        listening?.heard(at: now)
        return true
    }

    /// A connection carries requests from now on.
    mutating func connected(at now: Duration) {
        if mustListen { listening = Listening(for: quietTime, at: now) }
        mustListen = false
    }

    /// A connection has ended.
    mutating func disconnected(at now: Duration) {
        startGap(from: now)
        if isListening(at: now) { mustListen = true }
        listening = nil
    }

    private func isListening(at now: Duration) -> Bool { listening.map { !$0.isOver(at: now) } ?? false }
}
