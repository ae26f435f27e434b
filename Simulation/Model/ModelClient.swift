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
    /// Whether it asks for the same again and again, as soon as it was answered.
    let polls: Bool

    /// Whether its reading is paused and it waits to be read again.
    var isBlocked = false

    /// A client that polls with this probability in percent.
    init(_ id: ClientID, polling: Int, using random: inout SplitMix64) {
        self.id = id
        polls = random.chance(polling)
        unsent = random.below(14) + (polls ? 10 : 0)
        burst = polls && random.chance(70) ? 1 : random.below(5) + 1
        pause = random.pick([1, 20, 60, 250])
        staysToTheEnd = random.chance(30)
        stay = staysToTheEnd || random.chance(50) ? nil : random.milliseconds(0, 400)
    }
}
