import MultiplexerCore

/// A client as it behaves of itself.
struct ModelClient {
    let id: ClientID
    var isHere = false
    /// How many requests it will still send.
    var unsent: Int
    /// How many it sends at once.
    let burst: Int
    /// The longest time between two bursts in milliseconds.
    let pause: Int
    /// When it leaves of itself, from its coming on.
    var stay: Duration?
    let staysToTheEnd: Bool

    /// Whether its reading is paused and it waits to be read again.
    var isBlocked = false

    init(_ id: ClientID, using random: inout SplitMix64) {
        self.id = id
        unsent = random.below(14)
        burst = random.below(5) + 1
        pause = random.pick([1, 20, 60, 250])
        staysToTheEnd = random.chance(30)
        stay = staysToTheEnd || random.chance(50) ? nil : random.milliseconds(0, 400)
    }
}
