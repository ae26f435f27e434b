import MultiplexerCore

/// What a seed draws before its schedule begins: what the device needs, and how bad the world is.
struct Scenario {
    let configuration: Multiplexer.Configuration
    /// How many clients come before the faults stop.
    let clients: Int
    /// How many requests a client may still bring after its reading was paused: frames that were read already.
    let overrun: Int
    /// How likely a connection, a request or a closing goes wrong, in percent.
    let faults: Int
    /// How many of the requests are broadcasts, in percent.
    let broadcasts: Int
    /// How many of the responses are the last on their connection, in percent.
    let lastResponses: Int
    /// Whether old connections still have something to say after their end.
    let hasLateEvents: Bool
    /// Whether the event loop stalls, so that deadlines are delivered late.
    let hasStalls: Bool
    let drainAt: Duration?
    /// When faults stop.
    let calmAt: Duration
    /// The device's usual time for an answer and for a connection, at most.
    static let latency = 20

    init(using random: inout SplitMix64) {
        let delay = random.chance(60) ? Duration.zero : random.milliseconds(1, 150)
        let initial = random.pick([0, 10, 20, 50, 100])
        configuration = Multiplexer.Configuration(
            carriesTransactionIDs: random.chance(65),
            inFlightLimit: random.pick([1, 1, 1, 2, 4, 16]),
            waitingLimit: random.below(8) + 1,
            responseTimeout: random.milliseconds(40, 400),
            queueTimeout: delay + random.milliseconds(100, 1000),
            broadcastDelay: random.milliseconds(0, 100),
            connectTimeout: random.milliseconds(40, 300),
            delayAfterConnect: delay,
            backoff: Backoff(initial: .milliseconds(initial), maximum: .milliseconds(initial * (random.below(8) + 1))),
            drainTimeout: random.milliseconds(10, 800)
        )
        clients = random.below(6) + 1
        overrun = random.below(3)
        faults = random.pick([0, 5, 20, 20, 50, 80])
        broadcasts = random.pick([0, 0, 0, 20, 60])
        lastResponses = random.pick([0, 0, 0, 10, 100])
        hasLateEvents = random.chance(30)
        hasStalls = random.chance(30)
        drainAt = random.chance(40) ? random.milliseconds(0, 1600) : nil
        calmAt = random.milliseconds(300, 1000)
    }
}

extension SplitMix64 {
    /// 0 and more, less than `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func milliseconds(_ least: Int, _ most: Int) -> Duration { .milliseconds(least + below(most - least + 1)) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
