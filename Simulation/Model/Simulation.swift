import MultiplexerCore

/// Runs the real core through one schedule: model clients and a model device in virtual time, all drawn from a seed, with
/// an ``Oracle`` that watches each step.
///
/// A schedule has two acts. In the first, clients come, ask and go while connections and the device misbehave, and the
/// program may be told to shut down. Then the faults stop, and a last client must be served again.
struct Simulation {
    let seed: UInt64
    /// What happened, `time event -> actions`; empty unless recording was asked for.
    private(set) var trace: [String] = []
    private(set) var core: Multiplexer

    private let scenario: Scenario
    private let isRecording: Bool
    private var random: SplitMix64
    private var oracle: Oracle
    private var actions: [Multiplexer.Action] = []

    private var now = Duration.zero
    private var agenda = Agenda()
    /// When the deadline that the core asked for is delivered.
    private var visitAt: Duration?
    private var isCalm = false
    private var isDraining = false

    private var clients: [ModelClient] = []
    private var device = ModelDevice()
    /// The serial number and what is known of each request id in use.
    private var requests: [(serial: Int, request: Request)] = []
    private var freeRequests: [RequestID] = []
    private var serial = 0

    private var probe: Int?
    private var probesLeft = 3

    private static let stepLimit = 20_000

    init(seed: UInt64, isRecording: Bool = false) {
        self.seed = seed
        self.isRecording = isRecording
        // Neighbouring seeds give unlike schedules: the generator mixes its state before use.
        random = SplitMix64(seed: seed)
        scenario = Scenario(using: &random)
        core = Multiplexer(configuration: scenario.configuration, seed: random.next())
        oracle = Oracle(scenario.configuration, overrun: scenario.overrun)
    }

    /// Runs the schedule to its end.
    mutating func run() throws(Violation) {
        for _ in 0..<scenario.clients { invite(ModelClient(using: &random), at: random.milliseconds(0, 500)) }
        if let drainAt = scenario.drainAt { agenda.add(.drain, at: drainAt) }
        agenda.add(.calm, at: scenario.calmAt)

        for _ in 0..<Self.stepLimit {
            if let due = visitAt, due <= agenda.next ?? due {
                now = max(now, due)
                visitAt = nil
                try feed(.deadlineReached)
            } else if let (time, occurrence) = agenda.removeNext() {
                now = time
                try play(occurrence)
            } else {
                return try oracle.finish(core.statistics)
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
            guard !isCalm || index == probe else { return }
            clients[index].isHere = true
            try feed(.clientJoined(clients[index].id))
            try act(index)
        case .acts(let index):
            try act(index)
        case .leaves(let index):
            guard clients[index].isHere else { return }
            clients[index].isHere = false
            try feed(.clientLeft(clients[index].id))
        case .connected(let link):
            guard device.link == link else { return }
            try feed(.upstreamConnected(link))
        case .closed(let link):
            guard device.link == link else { return }
            device.link = nil
            if scenario.hasLateEvents, random.chance(50) {
                agenda.add(.lateEvent(of: link), at: now + random.milliseconds(0, 200))
            }
            try feed(.upstreamClosed(link))
        case .answers(let answer):
            guard device.link == answer.link || scenario.hasLateEvents else { return }
            // Without ids nobody can tell an extra message from the answer that is awaited.
            let isAmbiguous = answer.isExtra && !answer.response.isUnsolicited
            if isAmbiguous, !scenario.configuration.carriesTransactionIDs, oracle.isAwaitingResponse { return }
            try feed(.responseReceived(answer.response, on: answer.link), answering: answer.serial)
        case .damagedAnswer(let link):
            guard device.link == link || scenario.hasLateEvents else { return }
            try feed(.responseDamaged(link))
        case .lateEvent(let link):
            switch random.below(3) {
            case 0: try feed(.upstreamConnected(link))
            case 1: try feed(.upstreamClosed(link))
            default: if let last = device.lastReceived { try feed(.responseReceived(last, on: link)) }
            }
        case .drain:
            isDraining = true
            try feed(.drainRequested)
        case .calm:
            calmDown()
        }
    }

    /// Faults stop; most clients leave, and when all that went wrong is over, the last one comes.
    private mutating func calmDown() {
        isCalm = true
        for index in clients.indices {
            clients[index].unsent = 0
            if !clients[index].staysToTheEnd { agenda.add(.leaves(index), at: now + random.milliseconds(0, 200)) }
        }
        let configuration = scenario.configuration
        let recovery =
            configuration.queueTimeout + configuration.responseTimeout + configuration.connectTimeout
            + configuration.delayAfterConnect + configuration.backoff.maximum + ModelDevice.longestClosing
        probe = clients.count
        var last = ModelClient(using: &random)
        last.unsent = 1
        last.stay = nil
        invite(last, at: now + recovery)
    }

    private mutating func invite(_ client: ModelClient, at time: Duration) {
        var client = client
        client.id = ClientID(rawValue: UInt64(clients.count + 1))
        clients.append(client)
        agenda.add(.joins(clients.count - 1), at: time)
        if let stay = client.stay { agenda.add(.leaves(clients.count - 1), at: time + stay) }
    }

    /// A client sends what it has, as far as it is read.
    private mutating func act(_ index: Int) throws(Violation) {
        for _ in 0..<clients[index].burst where clients[index].isHere && clients[index].unsent > 0 {
            if clients[index].isPaused {
                guard clients[index].overrun < scenario.overrun else {
                    clients[index].isBlocked = true
                    return
                }
                clients[index].overrun += 1
            }
            clients[index].unsent -= 1
            try ask(clients[index].id)
        }
        if clients[index].isHere, clients[index].unsent > 0 {
            agenda.add(.acts(index), at: now + random.milliseconds(0, clients[index].pause))
        }
    }

    private mutating func ask(_ client: ClientID) throws(Violation) {
        let id: RequestID
        if let free = freeRequests.popLast() {
            id = free
        } else {
            id = RequestID(rawValue: UInt32(requests.count))
            requests.append((0, Request(correlation: .none, mayWrite: false)))
        }
        let request = Request(
            correlation: Correlation(rawValue: UInt64(random.below(3))),
            mayWrite: random.chance(30),
            // The last client's request is to show whether the device answers.
            expectsResponse: isCalm || !random.chance(scenario.broadcasts)
        )
        requests[Int(id.rawValue)] = (serial, request)
        serial += 1
        try feed(.requestReceived(id, request, from: client))
    }

    private mutating func probeEnded(isAnswered: Bool) throws(Violation) {
        guard let probe else { return }
        probesLeft -= 1
        guard !isAnswered, !isDraining else {
            for index in clients.indices { agenda.add(.leaves(index), at: now + random.milliseconds(1, 50)) }
            return
        }
        guard probesLeft > 0 else { throw Violation("liveness: the device is well again and is not used") }
        let configuration = scenario.configuration
        clients[probe].unsent = 1
        agenda.add(
            .acts(probe),
            at: now + configuration.backoff.maximum + configuration.connectTimeout + configuration.responseTimeout
                + configuration.delayAfterConnect + ModelDevice.longestClosing
        )
    }
}

// MARK: - The driver

extension Simulation {
    private mutating func feed(_ event: Multiplexer.Event, answering serial: Int? = nil) throws(Violation) {
        actions.removeAll(keepingCapacity: true)
        core.handle(event, at: now, into: &actions)
        if isRecording {
            trace.append("\(now.text) \(event.text) -> \(actions.map(\.text).joined(separator: ", "))")
        }
        oracle.begin(event, at: now, answering: serial)
        for action in actions {
            try oracle.check(action, at: now)
            try carryOut(action)
        }
        try oracle.end(at: now, core.statistics)
    }

    private mutating func carryOut(_ action: Multiplexer.Action) throws(Violation) {
        switch action {
        case .connect(let link):
            device.connect(link, scenario, isCalm: isCalm, at: now, &agenda, &random)
        case .disconnect(let link):
            device.close(link, scenario, isCalm: isCalm, at: now, &agenda, &random)
        case .send(let id, let transactionID):
            let (serial, request) = requests[Int(id.rawValue)]
            let response = Response(
                transactionID: transactionID,
                correlation: request.correlation,
                isLast: random.chance(scenario.lastResponses)
            )
            if request.expectsResponse {
                device.receive(response, serial, scenario, isCalm: isCalm, at: now, &agenda, &random)
            } else {
                device.receiveBroadcast(response, scenario, isCalm: isCalm, at: now, &agenda, &random)
            }
        case .respond(let id, let client):
            freeRequests.append(id)
            if clients.firstIndex(where: { $0.id == client }) == probe { try probeEnded(isAnswered: true) }
        case .fail(let id, _, let client):
            freeRequests.append(id)
            if clients.firstIndex(where: { $0.id == client }) == probe { try probeEnded(isAnswered: false) }
        case .complete(let id, _), .discard(let id):
            freeRequests.append(id)
        case .pauseReading(let client):
            clients[Int(client.rawValue) - 1].isPaused = true
        case .resumeReading(let client):
            let index = Int(client.rawValue) - 1
            clients[index].isPaused = false
            clients[index].overrun = 0
            guard clients[index].isBlocked else { return }
            clients[index].isBlocked = false
            agenda.add(.acts(index), at: now + random.milliseconds(0, 2))
        case .closeClient(let client):
            let isSlow = !isCalm && random.chance(scenario.faults / 2)
            agenda.add(.leaves(Int(client.rawValue) - 1), at: now + random.milliseconds(0, isSlow ? 1000 : 5))
        case .setDeadline(let deadline):
            var due = max(deadline, now)
            if scenario.hasStalls, !isCalm, random.chance(20) { due += random.milliseconds(1, 100) }
            visitAt = due
        case .drained:
            // What is still there is cut off.
            for index in clients.indices { agenda.add(.leaves(index), at: now + random.milliseconds(0, 2)) }
            if let link = device.link { agenda.add(.closed(link), at: now + random.milliseconds(0, 2)) }
        case .report:
            break
        }
    }
}
