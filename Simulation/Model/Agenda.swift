import MultiplexerCore

/// What happens in a simulation's world of itself.
enum Occurrence {
    /// Clients are told by their place.
    case joins(Int)
    case acts(Int)
    case leaves(Int)
    case connected(LinkID)
    case closed(LinkID)
    case answers(Answer)
    case damagedAnswer(on: LinkID)
    case lateEvent(of: LinkID)
    case drain
    case calm
}

/// A message from the device.
struct Answer {
    let link: LinkID
    let response: Response
    /// The request that the device means, or nil if it means none.
    let serial: Int?
    /// Whether the device says more than it was asked.
    var isExtra = false
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
