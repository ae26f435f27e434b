import MultiplexerCore

/// What happens in a simulation's world of itself.
enum Occurrence {
    /// Clients are told by their place.
    case joins(Int)
    case acts(Int)
    case leaves(Int)
    case repeats(Int, serial: Int)
    case connected(LinkID)
    case closed(LinkID, midResponse: Bool = false)
    /// The connection ends, and what was sent last did not leave.
    case dies(LinkID)
    /// The device closes the connection if it was asked nothing since.
    case idles(LinkID, requests: Int)
    case carriesOut(Message)
    case says(Message, on: LinkID)
    case damages(Message, ResponseDamage.Cause, isInStep: Bool, on: LinkID)
    case noise(Int, on: LinkID)
    case lateEvent(of: LinkID)
    /// Other times and limits are to hold.
    case configures
    /// Somebody else is to have the device for a time, or until it is given back.
    case releases(Duration?)
    case resumes
    case drain
    case calm
}

/// What is to happen and when; what was added first comes first at equal times.
struct Agenda {
    /// Sorted, the next one last.
    private var entries: [(time: Duration, occurrence: Occurrence)] = []

    var next: Duration? { entries.last?.time }

    mutating func add(_ occurrence: Occurrence, at time: Duration) {
        var index = entries.count
        while index > 0, entries[index - 1].time <= time { index -= 1 }
        entries.insert((time, occurrence), at: index)
    }

    mutating func removeNext() -> (Duration, Occurrence)? { entries.popLast() }
}

/// What device and network have in common with all else that happens.
struct World {
    let scenario: Scenario
    var now = Duration.zero
    var agenda = Agenda()
    var random: SplitMix64
    /// Faults have stopped.
    var isCalm = false

    init(seed: UInt64) {
        // Neighbouring seeds give unlike schedules: the generator mixes its state before use.
        random = SplitMix64(seed: seed)
        scenario = Scenario(using: &random)
    }

    /// Lets something happen after a while.
    mutating func add(_ occurrence: Occurrence, after wait: Duration) { agenda.add(occurrence, at: now + wait) }

    /// Whether something goes wrong that does so in this percentage of cases.
    mutating func isStruck(_ percent: Int) -> Bool { !isCalm && random.chance(percent) }
}
