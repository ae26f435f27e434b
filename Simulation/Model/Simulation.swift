import MultiplexerCore

/// Runs the real core through one schedule: model clients and a model device in virtual time, all drawn from a seed, with
/// an ``Oracle`` that watches each step.
///
/// A schedule has two acts. In the first, clients come, ask and go while connections and the device misbehave, and the
/// program may be told to shut down. Then the faults stop, and a last client must be served again.
struct Simulation {
    let seed: UInt64
    /// The core's own, which the schedule's gives.
    let coreSeed: UInt64
    private(set) var core: WatchedCore
    /// All that the core was told; empty unless recording was asked for.
    private(set) var stimuli: [Stimulus] = []

    private let isRecording: Bool
    private var world: World
    /// All that held so far.
    private var configurations: [Multiplexer.Configuration]
    private var device = ModelDevice()
    /// When the deadline that the core asked for is delivered.
    private var visitAt: Duration?
    private var isDraining = false

    private var clients: [ModelClient] = []
    private var serial = 0
    /// The client that must be served after the faults have stopped.
    private var probe: Int?
    private var probesLeft = 3

    private static let stepLimit = 20_000

    /// The schedule of this seed; `promised` changes what the core is expected to keep, to try the oracle.
    init(
        seed: UInt64,
        isRecording: Bool = false,
        promised: @escaping (inout Multiplexer.Configuration) -> Void = { _ in }
    ) {
        self.seed = seed
        self.isRecording = isRecording
        world = World(seed: seed)
        let configuration = world.scenario.configuration
        configurations = [configuration]
        coreSeed = world.random.next()
        core = WatchedCore(configuration, promised: promised, overrun: world.scenario.overrun, seed: coreSeed)
        if isRecording { core.trace = [] }
    }

    var scenario: Scenario { world.scenario }

    /// Runs the schedule to its end.
    mutating func run() throws(Violation) {
        for _ in 0..<scenario.clients { invite(at: world.random.milliseconds(0, 500)) }
        if let drainAt = scenario.drainAt {
            world.agenda.add(.drain, at: drainAt)
            // A second signal.
            if world.random.chance(20) { world.agenda.add(.drain, at: drainAt + world.random.milliseconds(0, 300)) }
        }
        for _ in 0..<scenario.replacements { world.agenda.add(.configures, at: world.random.milliseconds(0, 1500)) }
        for _ in 0..<scenario.releases {
            let isLimited = world.random.chance(50)
            let time = world.random.milliseconds(0, 1500)
            world.agenda.add(.releases(isLimited ? world.random.milliseconds(0, 300) : nil), at: time)
            // Sometimes twice, or when it is over.
            world.agenda.add(.resumes, at: time + world.random.milliseconds(0, 400))
        }
        world.agenda.add(.calm, at: scenario.calmAt)

        for _ in 0..<Self.stepLimit {
            if let due = visitAt, due <= world.agenda.next ?? due {
                world.now = max(world.now, due)
                visitAt = nil
                try feed(.visit)
            } else if let (time, occurrence) = world.agenda.removeNext() {
                world.now = time
                try play(occurrence)
            } else {
                return try core.finish()
            }
        }
        throw Violation("the schedule does not end")
    }
}

// MARK: - The world

extension Simulation {
    private mutating func play(_ occurrence: Occurrence) throws(Violation) {
        switch occurrence {
        case .joins(let index):
            // Whoever meant to come later than the faults stop stays away.
            guard !world.isCalm || index == probe else { return }
            clients[index].isHere = true
            try feed(.joins(clients[index].id))
            try act(index)
        case .acts(let index):
            try act(index)
        case .leaves(let index):
            guard clients[index].isHere else { return }
            clients[index].isHere = false
            try feed(.leaves(clients[index].id))
        case .repeats(let index, let serial):
            if clients[index].isHere { try feed(.repeats(serial: serial)) }
        case .connected(let link):
            if device.link == link { try feed(.connected(age: core.age(of: link))) }
        case .closed(let link, let midResponse):
            if device.link == link { try close(link, midResponse: midResponse) }
        case .dies(let link):
            guard device.link == link else { return }
            for serial in device.unsent { try feed(.unsent(serial: serial)) }
            world.add(.closed(link), after: world.random.milliseconds(0, 3))
        case .idles(let link, let requests):
            if !world.isCalm, device.isIdle(link, since: requests) { try close(link) }
        case .carriesOut(let message):
            try feed(.carriesOut(serial: message.serial, sending: message.sending))
        case .says(let message, let link):
            if device.link == link || scenario.hasLateEvents { try feed(.says(message)) }
        case .damages(let message, let cause, let isInStep, let link):
            guard device.link == link || scenario.hasLateEvents else { return }
            try feed(.damages(message, cause, isInStep: isInStep))
        case .noise(let bytes, let link):
            if device.link == link || scenario.hasLateEvents { try feed(.noise(bytes, age: core.age(of: link))) }
        case .lateEvent(let link):
            let age = core.age(of: link)
            guard age > 0 || device.link == nil else { return }
            switch world.random.below(3) {
            case 0: try feed(.connected(age: age))
            case 1: try feed(.closed(age: age))
            default: if let last = device.lastReceived { try feed(.says(last)) }
            }
        case .drain:
            isDraining = true
            try feed(.drain)
        case .configures:
            if !world.isCalm { try configure(scenario.otherConfiguration(&world.random)) }
        case .releases(let duration):
            if !world.isCalm { try feed(.releases(duration)) }
        case .resumes:
            try feed(.resumes)
        case .calm:
            try calmDown()
        }
    }

    private mutating func close(_ link: LinkID, midResponse: Bool = false) throws(Violation) {
        device.closed(at: world.now)
        if scenario.hasLateEvents, world.isStruck(50) {
            world.add(.lateEvent(of: link), after: world.random.milliseconds(0, 200))
        }
        try feed(.closed(age: core.age(of: link), midResponse: midResponse))
    }

    /// Faults stop; most clients leave, and when all that went wrong is over, the last one comes.
    private mutating func calmDown() throws(Violation) {
        if configurations.count > 1 { try configure(scenario.configuration) }
        if scenario.releases > 0 { try feed(.resumes) }
        world.isCalm = true
        for index in clients.indices {
            clients[index].unsent = 0
            if !clients[index].staysToTheEnd { world.add(.leaves(index), after: world.random.milliseconds(0, 200)) }
        }
        let recovery = configurations.map(\.recovery).max() ?? .zero
        probe = clients.count
        invite(at: world.now + recovery)
        clients[clients.count - 1].unsent = 1
    }

    private mutating func configure(_ configuration: Multiplexer.Configuration) throws(Violation) {
        configurations.append(configuration)
        try feed(.configures(configuration))
    }

    private mutating func invite(at time: Duration) {
        let client = ModelClient(
            ClientID(rawValue: UInt64(clients.count + 1)),
            polling: scenario.polling,
            using: &world.random
        )
        clients.append(client)
        world.agenda.add(.joins(clients.count - 1), at: time)
        guard probe == nil, let stay = client.stay else { return }
        world.agenda.add(.leaves(clients.count - 1), at: time + stay)
    }

    /// A client sends what it has, as far as it is read.
    private mutating func act(_ index: Int) throws(Violation) {
        for _ in 0..<clients[index].burst where clients[index].isHere && clients[index].unsent > 0 {
            guard try ask(clients[index]) else {
                clients[index].isBlocked = true
                return
            }
            clients[index].unsent -= 1
        }
        if clients[index].isHere, clients[index].unsent > 0, !clients[index].polls || index == probe {
            world.add(.acts(index), after: world.random.milliseconds(0, clients[index].pause))
        }
    }

    /// Says whether the client was read.
    private mutating func ask(_ client: ModelClient) throws(Violation) -> Bool {
        let request = request(of: client)
        serial += 1
        guard try feed(.asks(serial: serial - 1, request, client.id)) else { return false }
        let index = clients.firstIndex { $0.id == client.id }
        if let index, world.isStruck(scenario.repetitions) {
            world.add(.repeats(index, serial: serial - 1), after: world.random.milliseconds(0, 300))
        }
        return true
    }

    private mutating func request(of client: ModelClient) -> Request {
        let mayWrite = world.random.chance(client.polls ? scenario.writes / 4 : scenario.writes)
        let unit = client.polls ? scenario.units[0] : world.random.pick(scenario.units)
        let range = client.polls ? 0 : world.random.below(scenario.ranges)
        // The last client's request is to show whether the device answers.
        guard !world.isCalm, !mayWrite, !world.random.chance(scenario.otherReads) else {
            let goesAlone = world.isStruck(scenario.unknown)
            let subject = world.isCalm ? 99 : 20 + world.random.below(max(scenario.subjects, 1))
            return Request(
                correlation: correlation(world.random.below(3), unit),
                mayWrite: mayWrite || goesAlone,
                expectsResponse: world.isCalm || !world.random.chance(scenario.broadcasts),
                unit: unit,
                expectedContent: mayWrite && !goesAlone ? .echo(UInt64(serial)) : .any,
                goesAlone: goesAlone,
                subject: self.subject(subject)
            )
        }
        let read = UInt64(unit ?? .max) << 8 | UInt64(range)
        return Request(
            correlation: correlation(Int(read % 3), unit),
            mayWrite: false,
            expectsResponse: !world.random.chance(scenario.broadcasts),
            unit: unit,
            read: Request.Read(rawValue: read),
            expectedContent: .values(bytes: 2 * range + 2),
            subject: subject(Int(unit ?? 3) * 4 + range)
        )
    }

    private func correlation(_ function: Int, _ unit: UInt8?) -> Correlation {
        Correlation(unit: unit ?? 0, function: UInt8(function))
    }

    private func subject(_ number: Int) -> Request.Subject? {
        scenario.subjects > 0 ? Request.Subject(rawValue: UInt64(number)) : nil
    }

    private mutating func probeEnded(isAnswered: Bool) throws(Violation) {
        guard let probe else { return }
        guard !isAnswered, !isDraining, !scenario.isHopeless else {
            for index in clients.indices { world.add(.leaves(index), after: world.random.milliseconds(1, 50)) }
            return
        }
        probesLeft -= 1
        // Who was pulled out does not tell; only asking shows it.
        guard probesLeft > 0, device.isBlackHole else {
            throw Violation("liveness: the device is well again and is not used")
        }
        let configuration = scenario.configuration
        clients[probe].unsent = 1
        world.add(
            .acts(probe),
            after: configuration.backoff.maximum + configuration.connectTimeout + configuration.responseTimeout
                + configuration.delayAfterConnect + configuration.settleTime + ModelDevice.longestFault + .seconds(1)
        )
    }
}

extension Multiplexer.Configuration {
    /// When all is over that goes wrong under these times.
    fileprivate var recovery: Duration {
        queueTimeout + responseTimeout + connectTimeout + delayAfterConnect + settleTime + minimumGap
            + max(backoff.maximum, .milliseconds(10)) + ModelDevice.longestFault + .seconds(1) + effectiveQuietTime * 4
    }
}

// MARK: - The driver

extension Simulation {
    /// Lets the core know what happened and does what it says; false if it could not have happened.
    @discardableResult
    private mutating func feed(_ fact: Stimulus.Fact) throws(Violation) -> Bool {
        let stimulus = Stimulus(time: world.now, fact: fact)
        if isRecording { stimuli.append(stimulus) }
        guard try core.feed(stimulus) else {
            if isRecording { stimuli.removeLast() }
            return false
        }
        for action in core.actions { try carryOut(action) }
        return true
    }

    private mutating func carryOut(_ action: Multiplexer.Action) throws(Violation) {
        switch action {
        case .connect(let link):
            device.connect(link, in: &world)
        case .disconnect(let link):
            device.close(link, in: &world)
        case .send(let id, _):
            let serial = core.serial(of: id)
            let message = Message(
                serial: serial,
                sending: core.lastSending(of: serial),
                isLast: world.random.chance(scenario.lastResponses),
                isFailure: world.isStruck(scenario.failures)
            )
            let isBroadcast = core.request(serial)?.expectsResponse == false
            device.receive(message, core.request(serial), isBroadcast: isBroadcast, in: &world)
        case .respond(_, let client), .respondCached(_, _, _, let client):
            if isProbe(client) { try probeEnded(isAnswered: true) }
            pollAgain(client)
        case .fail(_, _, let client):
            if isProbe(client) { try probeEnded(isAnswered: false) }
            pollAgain(client)
        case .resumeReading(let client):
            let index = core.place(of: client)
            guard clients[index].isBlocked else { return }
            clients[index].isBlocked = false
            world.add(.acts(index), after: world.random.milliseconds(0, 2))
        case .closeClient(let client):
            let isSlow = world.isStruck(scenario.faults / 2)
            world.add(.leaves(core.place(of: client)), after: world.random.milliseconds(0, isSlow ? 1000 : 5))
        case .setDeadline(let deadline):
            var due = max(deadline, world.now)
            if scenario.hasStalls, world.isStruck(20) { due += world.random.milliseconds(1, 100) }
            visitAt = due
        case .drained:
            // What is still there is cut off.
            for index in clients.indices { world.add(.leaves(index), after: world.random.milliseconds(0, 2)) }
            if let link = device.link { world.add(.closed(link), after: world.random.milliseconds(0, 2)) }
        case .complete, .discard, .cacheResponse, .pauseReading, .report:
            break
        }
    }

    /// Who polls asks again when it was answered.
    private mutating func pollAgain(_ client: ClientID) {
        let index = core.place(of: client)
        guard clients[index].polls, index != probe, clients[index].unsent > 0 else { return }
        world.add(.acts(index), after: world.random.milliseconds(0, 8) / 10)
    }

    private func isProbe(_ client: ClientID) -> Bool { probe == core.place(of: client) }
}
