/// How an event loop is doing, as seen from outside of it.
package struct LoopHealth: Hashable, Sendable {
    /// How long ago it last did what it was asked to.
    package var sinceLastAnswer: Duration
    /// It has been asked to do something and has not for longer than it may take.
    package var isStalled: Bool
    /// How often it was stalled, the current time included.
    package var stalls: Int
    /// The longest that it was stalled, the current time included; zero if it never was.
    package var longestStall: Duration
}
