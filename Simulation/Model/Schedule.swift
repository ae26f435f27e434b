import MultiplexerCore

/// A schedule that breaks a promise: all that the core was told, so that it can be told again, or less of it.
struct Schedule {
    /// The promise it breaks.
    let violation: Violation
    private(set) var stimuli: [Stimulus]
    private(set) var configuration: Multiplexer.Configuration
    private let promised: (inout Multiplexer.Configuration) -> Void
    private let overrun: Int
    let seed: UInt64
    private let coreSeed: UInt64

    /// What seed `seed` breaks; nil if it breaks nothing.
    init?(seed: UInt64, promised: @escaping (inout Multiplexer.Configuration) -> Void = { _ in }) {
        var simulation = Simulation(seed: seed, isRecording: true, promised: promised)
        do {
            try simulation.run()
            return nil
        } catch {
            violation = error
        }
        self.seed = seed
        coreSeed = simulation.coreSeed
        self.promised = promised
        stimuli = simulation.stimuli
        configuration = simulation.scenario.configuration
        overrun = simulation.scenario.overrun
    }

    /// Tells the core what is left, until a promise is broken; then, as time goes by, that all leave.
    func replay() -> (violation: Violation?, trace: [String]) {
        var core = WatchedCore(configuration, promised: promised, overrun: overrun, seed: coreSeed)
        core.trace = []
        do {
            for stimulus in stimuli { _ = try core.feed(stimulus) }
            try windUp(&core)
            return (nil, core.trace ?? [])
        } catch {
            return (error, core.trace ?? [])
        }
    }

    private func windUp(_ core: inout WatchedCore) throws(Violation) {
        for client in Set(stimuli.compactMap(\.client)).sorted() {
            _ = try core.feed(Stimulus(time: core.now, fact: .leaves(client)))
        }
        for _ in 0..<100 {
            if core.link != nil {
                _ = try core.feed(Stimulus(time: core.now, fact: .closed(age: 0)))
            } else if core.asked != nil {
                _ = try core.feed(Stimulus(time: core.now, fact: .visit))
            } else {
                return try core.finish()
            }
        }
        throw Violation("the schedule does not end")
    }

    private var stillBreaks: Bool { replay().violation?.promise == violation.promise }
}

// MARK: - Shrinking

extension Schedule {
    /// The same broken promise with as little as possible: clients, events and settings that it does not need are left out.
    func shrunk() -> Schedule {
        guard stillBreaks else { return self }
        var least = self
        for client in Set(stimuli.compactMap(\.client)) { least.drop(whatIsOf: client) }
        least.dropEvents()
        least.beginAsItGoesOn()
        least.simplify()
        least.dropEvents()
        return least
    }

    private mutating func drop(whatIsOf client: ClientID) {
        let serials = Set(stimuli.filter { $0.client == client }.compactMap(\.serial))
        tryOut { schedule in
            schedule.stimuli.removeAll { $0.client == client || $0.serial.map(serials.contains) == true }
        }
    }

    /// Leaves out halves, quarters and so on down to single events, as long as anything can go.
    private mutating func dropEvents() {
        var length = max(stimuli.count / 2, 1)
        while true {
            let before = stimuli.count
            var end = stimuli.count
            while end > 0 {
                let range = max(end - length, 0)..<end
                tryOut { $0.stimuli.removeSubrange(range) }
                end = range.lowerBound
            }
            if length > 1 {
                length /= 2
            } else if stimuli.count == before {
                return
            }
        }
    }

    /// Holds from the start what comes to hold in its midst.
    private mutating func beginAsItGoesOn() {
        for stimulus in stimuli {
            guard case .configures(let other) = stimulus.fact else { continue }
            tryOut { schedule in
                schedule.configuration = other
                schedule.stimuli.removeAll { if case .configures = $0.fact { true } else { false } }
            }
        }
    }

    /// Sets what does not matter as if it were not there.
    private mutating func simplify() {
        let plain: [(inout Multiplexer.Configuration) -> Void] = [
            { $0.delayAfterConnect = .zero }, { $0.minimumGap = .zero }, { $0.settleTime = .zero },
            { $0.linger = .seconds(5) }, { $0.quietTime = nil }, { $0.idleClose = nil },
            { $0.connectionLifetime = nil },
            { $0.inFlightLimit = 1 },
            { $0.maximumResponseAge = nil }, { $0.sendsWritesFirst = false }, { $0.sharesReads = true },
            { $0.waitingLimit = 8 }, { $0.carriesTransactionIDs = true }, { $0.broadcastDelay = .zero },
            { $0.responseTimeout = .seconds(5) }, { $0.queueTimeout = .seconds(10) },
            { $0.connectTimeout = .seconds(5) }, { $0.drainTimeout = .seconds(10) },
            { $0.backoff = Backoff(initial: .milliseconds(10), maximum: .milliseconds(10)) },
        ]
        for set in plain { tryOut { set(&$0.configuration) } }
    }

    /// Keeps a change with which the same promise is broken.
    private mutating func tryOut(_ change: (inout Schedule) -> Void) {
        var changed = self
        change(&changed)
        if changed.stillBreaks { self = changed }
    }
}

// MARK: - For people

extension Schedule: CustomStringConvertible {
    var description: String {
        let (broken, trace) = replay()
        return """
            \(broken ?? violation)
            \(configuration.text)
            \(trace.joined(separator: "\n"))
            """
    }
}
