/// How event loops are doing, as seen from outside of them.
package struct LoopHealth: Hashable, Sendable {
    /// How long ago the one that has been silent the longest did what it was asked to.
    package var sinceLastResponse = Duration.zero
    /// One of them has been asked to do something and has not for longer than it may take.
    package var isStalled = false
    /// How often any was stalled, the current time included.
    package var stalls = 0
    /// The longest that one was stalled, the current time included; zero if none ever was.
    package var longestStall = Duration.zero

    /// Counts another loop in.
    mutating func add(_ other: LoopHealth) {
        sinceLastResponse = max(sinceLastResponse, other.sinceLastResponse)
        isStalled = isStalled || other.isStalled
        stalls += other.stalls
        longestStall = max(longestStall, other.longestStall)
    }
}
