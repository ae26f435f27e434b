import MultiplexerCore

/// What a seed draws before its schedule begins: what the device needs, and how bad the world is.
struct Scenario {
    let configuration: Multiplexer.Configuration
    /// Whether the times leave a device that works no room to answer.
    let isHopeless: Bool
    /// How many clients come before the faults stop.
    let clients: Int
    /// How many requests a client may still bring after its reading was paused: frames that were read already.
    let overrun: Int
    /// How likely a connection attempt goes wrong, in percent.
    let connectFaults: Int
    /// How likely a request or a closing goes wrong, in percent.
    let faults: Int
    /// How many clients ask for the same again and again, in percent.
    let polling: Int
    /// The units that requests are for; nil stands for all of the device.
    let units: [UInt8?]
    /// How many different reads of a unit there are.
    let ranges: Int
    /// How many of the requests may write, in percent.
    let writes: Int
    /// How many of the others may not share an answer, in percent.
    let otherReads: Int
    /// How many of the responses say that the device could not do it, in percent.
    let failures: Int
    /// How many of the requests are broadcasts, in percent.
    let broadcasts: Int
    /// How many of the responses are the last on their connection, in percent.
    let lastResponses: Int
    /// How many of its answers the device closes the connection behind, without a word, in percent.
    let closings: Int
    /// How often another program talks to the device, so that its responses reach us, in percent.
    let competition: Int
    /// How many of the answers are wide, wrong or have a surplus under the right id, in percent.
    let mangling: Int
    /// Which ids the device repeats: its own mistake, or none.
    let idMistake: Message.TransactionID?
    /// How often the device makes that mistake, in percent.
    let mistakes: Int
    /// How often the device sends what is no message, in percent.
    let noise: Int
    /// How often in a row it does so.
    let noises: Int
    /// How many of the requests are of a kind that nobody knows, in percent.
    let unknown: Int
    /// How many of the requests are sent again by their client while they are not answered, in percent.
    let repetitions: Int
    /// How many subjects there are beside those of reads; none if 0.
    let subjects: Int
    /// The subjects on which the device hangs up.
    let hangsUpOn: Range<UInt64>
    /// Whether the device swallows the first request of each connection.
    let swallowsFirst: Bool
    /// After how long the device closes a connection that nothing is asked on.
    let idleClose: Duration?
    /// For how long the device counts a connection that has ended, and takes no other.
    let countsOld: Duration
    /// While the device is off or unplugged.
    let outage: Range<Duration>
    /// Whether what is sent to a device that is off is refused or lost.
    let refuses: Bool
    /// Whether old connections still have something to say after their end.
    let hasLateEvents: Bool
    /// Whether the event loop stalls, so that deadlines are delivered late.
    let hasStalls: Bool
    let drainAt: Duration?
    /// How often other times and limits are to hold before faults stop.
    let replacements: Int
    /// How often somebody else is to have the device before faults stop.
    let releases: Int
    /// When faults stop.
    let calmAt: Duration
    /// The device's usual time for an answer and for a connection in milliseconds, at most.
    static let latency = 20

    init(using random: inout SplitMix64) {
        configuration = Self.configuration(&random)
        let leastTime =
            configuration.effectiveQuietTime + configuration.settleTime + configuration.delayAfterConnect
            + configuration.minimumGap
            + .milliseconds(4 * Self.latency)
        isHopeless =
            configuration.queueTimeout / 4 * 3 < leastTime
            || configuration.responseTimeout < .milliseconds(2 * Self.latency)
            || configuration.connectTimeout < .milliseconds(2 * Self.latency)
        clients = random.below(6) + 1
        overrun = random.below(3)
        connectFaults = random.pick([0, 0, 0, 5, 20, 50, 80])
        faults = random.pick([0, 5, 20, 50, 50, 80])
        polling = random.pick([0, 0, 30, 100])
        units = random.pick([[1], [1], [1, 2], [1, 2, nil], [1, 1, 1, nil], [nil]])
        ranges = random.pick([1, 1, 2, 4])
        writes = random.pick([5, 30, 30, 70])
        otherReads = random.pick([0, 10, 50])
        failures = random.pick([0, 0, 10, 50])
        broadcasts = random.pick([0, 0, 0, 20, 60])
        lastResponses = random.pick([0, 0, 0, 0, 10, 100])
        closings = random.pick([0, 0, 0, 0, 20, 100])
        competition = random.pick([0, 0, 0, 0, 30, 100])
        mangling = random.pick([0, 0, 0, 10, 50])
        idMistake = random.chance(25) ? random.pick([.zero, .swapped, .next]) : nil
        mistakes = random.pick([10, 60, 100])
        noise = random.pick([0, 0, 0, 20, 80])
        unknown = random.pick([0, 0, 20, 70])
        repetitions = random.pick([0, 0, 30, 100])
        subjects = random.pick([0, 1, 3, 8])
        let worst = UInt64(random.pick([4, 5, 8, 20, 20, 22, 26]))
        hangsUpOn = random.chance(40) ? worst..<worst + UInt64(random.below(8) + 1) : 0..<0
        swallowsFirst = random.chance(10)
        idleClose = random.chance(20) ? random.milliseconds(5, 200) : nil
        countsOld = random.chance(15) ? random.milliseconds(1, 200) : .zero
        let outageBegins = random.milliseconds(0, 600)
        outage = outageBegins..<outageBegins + (random.chance(20) ? random.milliseconds(20, 500) : .zero)
        refuses = random.chance(50)
        hasLateEvents = random.chance(30)
        hasStalls = random.chance(30)
        drainAt = random.chance(30) ? random.milliseconds(0, 1600) : nil
        calmAt = random.milliseconds(300, 1500)
        replacements = random.pick([0, 0, 0, 1, 3])
        releases = random.pick([0, 0, 0, 0, 1, 2])
        noises = random.pick([1, 1, 1, 30])
    }

    /// Other times and limits for the same device.
    func otherConfiguration(_ random: inout SplitMix64) -> Multiplexer.Configuration {
        var other = Self.configuration(&random)
        other.carriesTransactionIDs = configuration.carriesTransactionIDs
        return other
    }

    private static func configuration(_ random: inout SplitMix64) -> Multiplexer.Configuration {
        let delay = random.chance(60) ? Duration.zero : random.milliseconds(1, 150)
        let gap = random.chance(60) ? Duration.zero : random.milliseconds(1, 80)
        let settleTime = random.chance(60) ? Duration.zero : random.milliseconds(1, 150)
        let quietTime: Duration? = random.chance(50) ? nil : random.milliseconds(0, 150)
        let initial = random.pick([0, 10, 20, 50, 100])
        var configuration = Multiplexer.Configuration(
            carriesTransactionIDs: random.chance(65),
            inFlightLimit: random.pick([0, 1, 1, 1, 2, 4, 16, 20]),
            waitingLimit: random.below(9),
            sharesReads: random.chance(80),
            maximumResponseAge: random.chance(50) ? nil : random.milliseconds(0, random.pick([2, 30, 1000])),
            sendsWritesFirst: random.chance(40),
            responseTimeout: random.milliseconds(40, 400),
            queueTimeout: (delay + gap + settleTime) * 2 + random.milliseconds(80, 1000),
            broadcastDelay: random.milliseconds(0, 100),
            connectTimeout: random.milliseconds(40, 300),
            delayAfterConnect: delay,
            minimumGap: gap,
            settleTime: settleTime,
            quietTime: quietTime,
            linger: random.chance(60) ? .zero : random.milliseconds(1, 300),
            idleClose: random.chance(60) ? nil : random.milliseconds(0, 300),
            // A connection is not too old before it may be used.
            connectionLifetime: random.chance(60)
                ? nil : (delay + gap + (quietTime ?? .zero) * 4) * 2 + random.milliseconds(80, 600),
            backoff: Backoff(initial: .milliseconds(initial), maximum: .milliseconds(initial * (random.below(8) + 1))),
            drainTimeout: random.milliseconds(10, 800)
        )
        guard random.chance(5) else { return configuration }
        // Whoever sets such a time gets no answer, but must get an end.
        switch random.below(4) {
        case 0: configuration.responseTimeout = .zero
        case 1: configuration.queueTimeout = random.milliseconds(0, 30)
        case 2: configuration.connectTimeout = .zero
        default: configuration.drainTimeout = .zero
        }
        return configuration
    }
}

extension SplitMix64 {
    /// 0 and more, less than `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    mutating func milliseconds(_ least: Int, _ most: Int) -> Duration { .milliseconds(least + below(most - least + 1)) }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
