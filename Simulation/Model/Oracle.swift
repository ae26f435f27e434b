import MultiplexerCore

/// A promise that was broken.
struct Violation: Error, CustomStringConvertible {
    /// Which one: the same words whatever was asked and whoever asked it.
    let promise: String
    /// Which values broke it.
    let detail: String

    init(_ promise: String, _ detail: String = "") {
        self.promise = promise
        self.detail = detail
    }

    var description: String { detail.isEmpty ? promise : "\(promise) (\(detail))" }
}

/// Watches what a core is told and what it does, and says when a promise is broken.
///
/// It keeps its own books from events and actions alone and knows nothing of the core's state. Around each event:
/// ``begin(_:at:answering:)``, ``check(_:at:)`` for each action in order, ``end(at:_:)``; at last ``finish(_:)``. The
/// numbers in its words are those of the promises. It looks both ways: what must not happen, and what must.
///
/// Here, in `OracleResponses.swift` and in `OracleEnds.swift` it keeps its books on what the core is told; `OracleChecks.swift`
/// holds what the core does against them, and `OracleInvariants.swift` what it leaves undone.
struct Oracle {
    var configuration: Multiplexer.Configuration
    /// How many requests a client may bring after it was paused.
    let overrun: Int

    var clients: [ClientID: Client] = [:]
    /// Who is here, in the order of coming.
    var present: [ClientID] = []
    /// Until when the connection is kept for nobody.
    var lingersUntil: Duration?
    var requests: [Request] = []
    /// The request that each id in use stands for.
    var serials: [RequestID: Int] = [:]
    var flights: [Flight] = []
    /// Ids of requests that were not answered, whose late responses may still come.
    var retired: Set<UInt16> = []
    /// Whose requests go before all others, since they were sent before: in the order in which they were.
    var firstTurns: [FirstTurn] = []
    var turn = 0
    /// The turn before, if it is known: whose, and whether it was a write's.
    var turnBefore: (client: ClientID, isUrgent: Bool)?
    /// How many requests have been sent.
    var sendings = 0

    /// What the units of the device hold: the number of the last write that the device has carried out.
    var contents = Latest()
    private var writesDone = 0
    /// What the device did when it carried out a request: the number of a write, or of the last one that a read saw.
    private var executions: [Sending: Int] = [:]
    /// The writes that had ended, so that whoever asked later must see them.
    var endedWrites = Latest()
    /// What stands between reads that may not share: a write that came, was sent or ended, a late response.
    var barriers = Latest()
    private var lastBarrier = 0
    /// Responses that may be given again, by their slots.
    var cached: [Int: Cached] = [:]
    /// Those who were answered together, until something else is asked.
    var coalescingWindow: CoalescingWindow?

    var link: Link?
    var lastLink: UInt64 = 0
    /// The last connection was idle: the next one is opened for a request.
    var isResting = false
    /// Requests in a row on this connection that the device let time out.
    var silences = 0
    /// Connections in a row that failed, without an answer since.
    var failures = 0
    /// Connections in a row that the device closed during the delay after connecting.
    var earlyEnds = 0
    /// Since the device's last answer, a connection that it did not answer was forgiven: its requests are sent again.
    var hasForgiven = false
    /// Messages in a row that answer nothing and are not late.
    var strays = 0
    /// Answers in a row that came damaged.
    var damages = 0
    var mismatches: [Multiplexer.MismatchPattern: Int] = [:]
    var lastUnit: (unit: UInt8, count: Int)?
    var hasToldWide = false
    var experience = Experience()
    /// From where clients came on whom it hung up, and until when that counts.
    var notorious: [IPAddress: Duration] = [:]
    /// The last connection that we closed, until the device answers on another.
    var old: OldConnection?
    /// How long the device counted a connection that we closed, and one that it closed itself.
    var learnedSettleTimes = (ours: Duration.zero, theirs: Duration.zero)
    /// A request was not answered where no id tells a late answer from the next one.
    var mustListen = false
    var listening: Listening?
    var backingOffUntil: Duration?
    /// No connection may be asked for earlier.
    var connectNotBefore = Duration.zero
    var gap = Bound()
    /// When the connection was last of use.
    var use = Bound()

    /// The deadline that the core asked for.
    var asked: Duration?
    var drainDeadline: Duration?
    /// Until when somebody else has the device.
    var releasedUntil: Duration?
    var isDrained = false
    /// What the core should have counted.
    var counted = Multiplexer.Statistics()
    var step = Step()

    init(_ configuration: Multiplexer.Configuration, overrun: Int = 0) {
        self.configuration = configuration
        self.overrun = overrun
    }

    /// Whether nobody could tell a message from the answer that is awaited, which it is not.
    ///
    /// The wire has no ids then, or it has the awaited one by chance, once in 65,280: that a device says such a thing is beyond
    /// what can be promised.
    func isMistakable(_ response: Response, on id: LinkID, respondingTo serial: Int?) -> Bool {
        guard !response.isUnsolicited, id == link?.id else { return false }
        return flights.contains { flight in
            flight.expectsResponse && flight.serial != serial && flight.transactionID == response.transactionID
                && fits(response, flight)
        }
    }

    /// Whether something else than this request is in flight on a connection.
    func isBusy(_ id: LinkID, with serial: Int) -> Bool { id == link?.id && flights.contains { $0.serial != serial } }
}

// MARK: - What the core is told

extension Oracle {
    /// The device carries out a request that was sent, once.
    mutating func execute(_ sending: Sending) {
        guard executions[sending] == nil else { return }
        let request = requests[sending.serial]
        guard !request.isRead else { return executions[sending] = contents[request.unit] }
        writesDone += 1
        contents.record(writesDone, request.unit)
        executions[sending] = writesDone
    }

    /// `answering` tells which request the device meant, if any, and which time that it was sent.
    mutating func begin(_ event: Multiplexer.Event, at now: Duration, respondingTo serial: Int? = nil, sending: Int = 0)
    {
        step = Step()
        step.meant = serial
        if let serial { step.value = executions[Sending(serial: serial, number: sending)] }
        switch event {
        case .clientJoined(let client, let origin):
            join(client, from: origin, at: now)
        case .clientLeft(let client):
            leave(client, at: now)
        case .requestReceived(let id, let request, let client):
            ask(id, request, client, at: now)
        case .requestRepeated(let id):
            extend(id, at: now)
        case .upstreamConnected(let id):
            guard link?.id == id, link?.connectedAt == nil, link?.isClosing == false else { return }
            link?.connectedAt = now
            link?.settlesAt = now + configuration.delayAfterConnect
            if configuration.delayAfterConnect == .zero { becomeReady(at: now) }
        case .upstreamClosed(let id, let midResponse):
            closed(id, midResponse: midResponse, at: now)
        case .requestUnsent(let id, let on):
            unsent(id, on: on, at: now)
        case .responseReceived(let response, let id):
            received(response, on: id, at: now)
        case .responseDamaged(let damage, let id):
            damaged(damage, on: id, at: now)
        case .noiseReceived(let bytes, let id):
            startGapAfterStray(at: now)
            _ = hears(on: id, at: now)
            counted.noise += bytes
            step.due.append(.noise(bytes))
        case .deadlineReached:
            visit(at: now)
        case .connectingAllowed:
            break
        case .configurationReplaced(let configuration):
            replaceConfiguration(by: configuration, at: now)
        case .released(let duration):
            releasedUntil = duration.map { now + $0 } ?? .never
            isResting = false
        case .resumed:
            if releasedUntil != nil { step.due.append(.resumed) }
            releasedUntil = nil
        case .drainRequested:
            guard drainDeadline == nil else { return }
            drainDeadline = now + configuration.drainTimeout
            lingersUntil = nil
        }
    }

    mutating func leave(_ client: ClientID, at now: Duration) {
        let hadAskingClients = hasAskingClients
        clients[client]?.isHere = false
        for index in flights.indices where flights[index].waiters.contains(where: { requests[$0].client == client }) {
            flights[index].leftFrom = clients[client]?.origin
        }
        present.removeAll { $0 == client }
        firstTurns.removeAll { $0.client == client }
        step.left = client
        guard hadAskingClients, !hasAskingClients else { return }
        isResting = false
        if drainDeadline == nil { lingersUntil = now + configuration.linger }
    }

    /// Whether anybody is here who has asked anything.
    var hasAskingClients: Bool { present.contains { clients[$0]?.hasAsked == true } }

    /// A request has more time, and so have those of its client that wait behind it.
    private mutating func extend(_ id: RequestID, at now: Duration) {
        counted.repeated += 1
        guard let serial = serials[id] else { return }
        let deadline = now + configuration.queueTimeout
        let waiting = clients[requests[serial].client]?.waiting ?? []
        for later in waiting.firstIndex(of: serial).map({ waiting[$0...] }) ?? [serial] {
            requests[later].deadline = max(requests[later].deadline, deadline)
        }
    }

    private mutating func ask(
        _ id: RequestID,
        _ request: MultiplexerCore.Request,
        _ client: ClientID,
        at now: Duration
    ) {
        counted.requests += 1
        serials[id] = requests.count
        let isHeard = clients[client]?.isHere == true && drainDeadline == nil
        if isHeard {
            clients[client]?.hasAsked = true
            lingersUntil = nil
        }
        // Behind others of its client it waits for its turn.
        let isFirst = clients[client]?.waiting.isEmpty == true && !hasFlights(of: client)
        let isRefused = isHeard && isFirst && isHeldBack(request.subject, of: client, at: now)
        let isAccepted = isHeard && !isRefused
        if request.mayWrite, isAccepted { raiseBarrier(request.unit) }
        let isShared = !request.mayWrite && request.expectsResponse
        // In a queue no deadline comes before that of the request in front.
        let before = clients[client]?.waiting.last.map { requests[$0].deadline } ?? now
        let serial = requests.count
        requests.append(
            Request(
                client: client,
                correlation: request.correlation,
                isRead: !request.mayWrite,
                expectsResponse: request.expectsResponse,
                unit: request.unit,
                read: isShared ? request.read : nil,
                expectedContent: request.expectedContent,
                goesAlone: request.goesAlone,
                subject: request.subject,
                deadline: max(now + configuration.queueTimeout, before),
                barrier: barriers[request.unit],
                contents: contents[request.unit],
                endedWrites: endedWrites[request.unit]
            )
        )
        if isRefused { step.refused = serial }
        if isAccepted, clients[client]?.waiting.isEmpty == true {
            step.arrived = serial
            step.isResponseKnown = !hasFlights(of: client) && isResponseKnown(to: serial, at: now)
        }
        if clients[client]?.waiting.isEmpty == true { clients[client]?.waitingSince = turn }
        clients[client]?.waiting.append(serial)
    }

    mutating func raiseBarrier(_ unit: UInt8?) {
        lastBarrier += 1
        barriers.record(lastBarrier, unit)
    }

    /// A request is in flight no more; who asks from now on must see what it changed.
    mutating func flightEnded(_ flight: Flight) {
        let request = requests[flight.serial]
        guard !request.isRead else { return }
        raiseBarrier(request.unit)
        seeWriteEnded(Sending(serial: flight.serial, number: flight.number))
    }

    mutating func seeWriteEnded(_ sending: Sending) {
        let request = requests[sending.serial]
        if !request.isRead, let number = executions[sending] { endedWrites.record(number, request.unit) }
    }

    mutating func becomeReady(at now: Duration) {
        link?.isDelayOver = true
        if mustListen { listen(for: configuration.effectiveQuietTime, at: now) }
        mustListen = false
        use.push(to: now)
    }

    private mutating func visit(at now: Duration) {
        step.isVisit = true
        asked = nil
        if let until = backingOffUntil, until <= now { backingOffUntil = nil }
        if let link, !link.isClosing {
            if link.connectedAt != nil {
                if !link.isDelayOver, link.settlesAt <= now { becomeReady(at: now) }
            } else if link.connectDeadline <= now {
                self.link?.isOverdue = true
            }
        }
        let blame = blame
        for index in flights.indices.reversed() where flights[index].deviceDeadline <= now {
            let flight = flights.remove(at: index)
            giveUp(flight)
            // From when its time was over, or from when that was noticed.
            gap.least = max(gap.least, flight.deviceDeadline + configuration.minimumGap)
            gap.most = max(gap.most, now + configuration.minimumGap)
            guard flight.expectsResponse else { continue }
            silences += 1
            step.due.append(.timedOut(flight.waiters))
            experience.silent(requests[flight.serial].subject)
            link?.blame = blame
            use.push(to: now)
            if !configuration.carriesTransactionIDs { link?.isTainted = true }
        }
        if let until = releasedUntil, until <= now {
            releasedUntil = nil
            step.due.append(.resumed)
        }
        if let drainDeadline, drainDeadline <= now, !isDrained {
            step.isDrainOverdue = true
            // Whose own time is up at the same moment hears of that, and so do all where the silence costs the connection.
            let isSilent = step.due.contains { if case .timedOut = $0 { true } else { false } }
            let isReplaced =
                isSilent && link?.isReady == true && (silences >= 2 || !configuration.carriesTransactionIDs)
            let unanswered = isReplaced ? 0 : flights.flatMap(\.waiters).count { now < requests[$0].deadline }
            if unanswered > 0 { step.due.append(.drainOverdue(unanswered)) }
            endFlights()
        }
    }
}
