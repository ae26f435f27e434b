import DequeModule

/// Lets many clients share one connection to a device: the decisions, and nothing else.
///
/// ```
///            requestReceived            send                        responseReceived
///  client A ────────────────▶ waiting ─┐      ┌─────────────┐      ┌─ respond ──▶ client A
///  client B ────────────────▶ waiting ─┼────▶ │  in flight  │ ────▶┤
///  client C ────────────────▶ waiting ─┘      └─────────────┘      └─ (no match) dropped
///               one queue a client,        one, or up to 16,
///               served round robin         each with an id of ours
/// ```
///
/// A value type with one door, ``handle(_:at:into:)``. It does no I/O and reads no clock: facts and the time come in,
/// actions go out. Whoever runs it carries the actions out in their order and keeps the requests' bytes.
public struct Multiplexer: Sendable {
    /// What the device needs.
    package let configuration: Configuration
    /// What has happened so far.
    package private(set) var statistics = Statistics()

    private var clients: ClientQueues
    private var inFlight: [InFlight] = []
    private var transactionIDs = TransactionIDs()

    private var writes = WriteGenerations()
    private var memory: ResponseMemory?
    private var gathering: Gathering?

    private var link: DeviceLink
    /// Responses in a row that answer nothing that was asked.
    private var straysInARow = 0

    private let inFlightLimit: Int
    private var drain = Drain.notRequested
    /// The earliest time asked for and not yet reached.
    ///
    /// May be earlier than the earliest deadline left: then the visit in vain sets the next one. So a deadline costs
    /// nothing while requests are answered.
    private var nextVisit: Duration?

    /// So many stray responses in a row are no accident.
    private static let straysOfCompetitor = 3
    /// So many requests may share a response; more wait for the next one.
    private static let askersLimit = 4096

    /// A multiplexer for one device.
    ///
    /// Equal seeds give equal jitter.
    package init(configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        inFlightLimit = configuration.effectiveInFlightLimit
        clients = ClientQueues(configuration)
        link = DeviceLink(configuration, seed: seed)
        if configuration.sharesReads {
            memory = configuration.maximumResponseAge.map { ResponseMemory(maximumAge: $0) }
        }
    }

    /// The request that the device is to answer next; nil where several are told apart by their ids.
    package var awaited: Request? {
        configuration.carriesTransactionIDs ? nil : inFlight.first?.request
    }

    /// Takes a fact and appends what is to be done about it.
    ///
    /// - Parameters:
    ///   - event: What happened.
    ///   - now: The time since any fixed point; never less than at the call before.
    ///   - actions: Where the actions are appended, in the order to carry them out.
    package mutating func handle(_ event: Event, at now: Duration, into actions: inout [Action]) {
        switch event {
        case .clientJoined(let client):
            clients.add(client)
            link.lingersNoMore()
            if drain != .notRequested { close(client, into: &actions) }
            update(at: now, into: &actions)
        case .clientLeft(let client):
            forget(client, at: now, into: &actions)
            update(at: now, into: &actions)
        case .requestReceived(let id, let request, let client):
            accept(id, request, from: client, at: now, into: &actions)
            update(at: now, into: &actions)
        case .upstreamConnected(let id):
            link.connected(id, at: now, into: &actions)
            update(at: now, into: &actions)
        case .upstreamClosed(let id, let midResponse):
            closed(id, midResponse: midResponse, at: now, into: &actions)
            update(at: now, into: &actions)
        case .requestUnsent(let request, let id):
            // The last one, since the id of a request that ended while it was in flight is used again.
            if link.id == id, let index = inFlight.lastIndex(where: { $0.sentAs == request }) {
                inFlight[index].isUnsent = true
            }
            link.ended(id, at: now)
            update(at: now, into: &actions)
        case .responseReceived(let response, let id):
            let answered = match(response, on: id, at: now, into: &actions)
            // The device gets its next request before the client gets its response: all clients wait for an idle device.
            sendWaiting(at: now, into: &actions)
            if let answered { respond(to: answered.askers, into: &actions) }
            update(at: now, into: &actions)
        case .responseDamaged(_, let id):
            answerDamaged(on: id, at: now, into: &actions)
            update(at: now, into: &actions)
        case .noiseReceived:
            break
        case .deadlineReached:
            nextVisit = nil
            expire(at: now, into: &actions)
            update(at: now, into: &actions)
            visitAtEarliestDeadline(into: &actions)
        case .drainRequested:
            guard drain == .notRequested else { return }
            drain = .finishing(until: now + configuration.drainTimeout)
            visit(at: now + configuration.drainTimeout, into: &actions)
            failWaiting(.draining, into: &actions)
            update(at: now, into: &actions)
        }
    }

    /// What is true after any event: the connection stands if anyone wants it, the device has work if there is any, a drain
    /// that has nothing left to finish ends.
    private mutating func update(at now: Duration, into actions: inout [Action]) {
        if link.adapt(to: demand, at: now, into: &actions) { statistics.connects += 1 }
        sendWaiting(at: now, into: &actions)
        finishDrain(into: &actions)
        if let deadline = link.deadline(demand, at: now) { visit(at: deadline, into: &actions) }
    }

    private var demand: DeviceLink.Demand {
        DeviceLink.Demand(
            hasClients: !clients.isEmpty && drain == .notRequested,
            hasInFlight: !inFlight.isEmpty,
            hasWaiting: clients.hasWaiting,
            isDraining: drain != .notRequested
        )
    }
}

// MARK: - Clients and their requests

extension Multiplexer {
    private mutating func accept(
        _ id: RequestID,
        _ request: Request,
        from client: ClientID,
        at now: Duration,
        into actions: inout [Action]
    ) {
        statistics.requests += 1
        guard clients.contains(client) else {
            statistics.abandoned += 1
            actions.append(.discard(id))
            return
        }
        guard drain == .notRequested else {
            fail(id, request, .draining, to: client, into: &actions)
            return
        }
        if request.mayWrite { writes.advance(request.unit) }
        let deadline = now + configuration.queueTimeout
        let waiting = Waiting(
            id: id,
            number: statistics.requests,
            request: request,
            deadline: deadline,
            generation: writes[request.unit]
        )
        // Not before what the client asked earlier.
        if clients.isIdle(client), sharesEarlier(waiting, of: client, at: now, into: &actions) { return }
        guard !link.isBackingOff else {
            fail(id, request, .unreachable, to: client, into: &actions)
            return
        }
        visit(at: deadline, into: &actions)
        if clients.enqueue(waiting, of: client) { actions.append(.pauseReading(client)) }
    }

    private mutating func forget(_ client: ClientID, at now: Duration, into actions: inout [Action]) {
        guard let left = clients.remove(client) else { return }
        for waiting in left {
            statistics.abandoned += 1
            actions.append(.discard(waiting.id))
        }
        for index in inFlight.indices {
            // The response is swallowed when it comes, unless others asked for it, too.
            for asker in inFlight[index].askers.remove(where: { $0.client == client }) {
                statistics.abandoned += 1
                actions.append(.discard(asker.request))
            }
        }
        if clients.isEmpty { link.lingers(from: now) }
    }

    /// Sends as many waiting requests as the device may have in flight, one of each client in turn.
    private mutating func sendWaiting(at now: Duration, into actions: inout [Action]) {
        while clients.hasWaiting, link.mayCarry(at: now), inFlight.count < inFlightLimit,
            !gathers(at: now, into: &actions), let taken = clients.takeNext()
        {
            guard let asker = asker(taken, at: now, into: &actions) else { continue }
            let (request, id) = (taken.request.request, taken.request.id)
            if sharesEarlier(taken.request, of: taken.client, at: now, into: &actions) { continue }
            if request.mayWrite { writes.advance(request.unit) }
            let transactionID = nextTransactionID(at: now)
            let patience = request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay
            var flight = InFlight(
                transactionID: transactionID,
                request: request,
                sentAs: id,
                sentAt: now,
                deviceDeadline: now + patience,
                generation: writes[request.unit],
                askers: Askers(asker)
            )
            link.asked(request, at: now)
            statistics.sent += 1
            visit(at: now + patience, into: &actions)
            actions.append(.send(id, transactionID: transactionID))
            shareWithEqual(&flight, taken.request.generation, at: now, into: &actions)
            inFlight.append(flight)
        }
    }

    /// Who asks for what was taken from a queue; nil if it has failed since its time had run out.
    private mutating func asker(
        _ taken: ClientQueues.Taken,
        at now: Duration,
        into actions: inout [Action]
    ) -> Asker? {
        if taken.resumes { actions.append(.resumeReading(taken.client)) }
        let waiting = taken.request
        guard now < waiting.deadline else {
            fail(waiting.id, waiting.request, .expired, to: taken.client, into: &actions)
            return nil
        }
        return Asker(waiting, of: taken.client)
    }

    private mutating func nextTransactionID(at now: Duration) -> UInt16 {
        guard configuration.carriesTransactionIDs else { return 0 }
        while true {
            let id = transactionIDs.next(at: now)
            if !inFlight.contains(where: { $0.transactionID == id }) { return id }
        }
    }

    /// Gives up waiting for a response, which may still come.
    private mutating func retire(_ flight: InFlight, at now: Duration) {
        land(flight)
        if configuration.carriesTransactionIDs { transactionIDs.retire(flight.transactionID, at: now) }
    }

    /// A request is in flight no more.
    private mutating func land(_ flight: InFlight) {
        // What was read while a write was in flight may be older or newer than it.
        if flight.request.mayWrite { writes.advance(flight.request.unit) }
    }

    private mutating func fail(
        _ id: RequestID,
        _ request: Request,
        _ failure: Failure,
        to client: ClientID,
        into actions: inout [Action]
    ) {
        // Whoever expects no response would take a failure for the answer to its next request.
        guard request.expectsResponse else { return complete(id, to: client, into: &actions) }
        statistics.count(failure)
        actions.append(.fail(id, failure, to: client))
    }

    private mutating func complete(_ id: RequestID, to client: ClientID, into actions: inout [Action]) {
        statistics.broadcasts += 1
        actions.append(.complete(id, to: client))
    }

    private mutating func failWaiting(_ failure: Failure, into actions: inout [Action]) {
        while let taken = clients.takeNext() {
            fail(taken.request.id, taken.request.request, failure, to: taken.client, into: &actions)
            if taken.resumes { actions.append(.resumeReading(taken.client)) }
        }
    }

    private mutating func failInFlight(_ failure: Failure, at now: Duration, into actions: inout [Action]) {
        for lost in inFlight {
            retire(lost, at: now)
            fail(lost, failure, into: &actions)
        }
        inFlight.removeAll(keepingCapacity: true)
    }

    private mutating func fail(_ flight: InFlight, _ failure: Failure, into actions: inout [Action]) {
        for asker in flight.askers { fail(asker.request, flight.request, failure, to: asker.client, into: &actions) }
    }
}

// MARK: - Shared reads

extension Multiplexer {
    /// Answers a read with a response that is kept, or lets it wait for one on its way; both only within a maximum age.
    private mutating func sharesEarlier(
        _ waiting: Waiting,
        of client: ClientID,
        at now: Duration,
        into actions: inout [Action]
    ) -> Bool {
        guard let memory, let read = waiting.request.read else { return false }
        let generation = writes[waiting.request.unit]
        if let (place, age) = memory.find(read, generation: generation, at: now) {
            statistics.responses += 1
            statistics.kept += 1
            statistics.greatestAge = max(statistics.greatestAge, age)
            actions.append(.respondKept(waiting.id, place: place, age: age, to: client))
            return true
        }
        guard
            let index = inFlight.firstIndex(where: {
                $0.request.read == read && $0.generation == generation && $0.askers.count < Self.askersLimit
            })
        else { return false }
        visit(at: waiting.deadline, into: &actions)
        actions.append(.report(.sharing(waiting.id, with: inFlight[index].sentAs)))
        inFlight[index].askers.append(Asker(waiting, of: client))
        return true
    }

    /// Lets equal reads that wait have the response, too.
    private mutating func shareWithEqual(
        _ flight: inout InFlight,
        _ generation: UInt64,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard configuration.sharesReads, let read = flight.request.read else { return }
        while flight.askers.count < Self.askersLimit,
            let taken = clients.takeEqual(to: read, generation: generation)
        {
            guard let asker = asker(taken, at: now, into: &actions) else { continue }
            actions.append(.report(.sharing(taken.request.id, with: flight.sentAs)))
            flight.askers.append(asker)
        }
    }

    /// Whether the next read is held back for others like it.
    private mutating func gathers(at now: Duration, into actions: inout [Action]) -> Bool {
        guard let gathering else { return false }
        if gathering.holds(clients.next?.request.read, waiting: clients.waitingClients, at: now) {
            visit(at: gathering.end, into: &actions)
            return true
        }
        self.gathering = nil
        return false
    }

    private mutating func respond(to askers: Askers, into actions: inout [Action]) {
        statistics.responses += askers.count
        statistics.shared += max(askers.count - 1, 0)
        for asker in askers { actions.append(.respond(asker.request, to: asker.client)) }
    }

    /// Keeps the response to a read if it still holds; else has others like it wait for each other.
    private mutating func note(
        _ response: Response,
        to answered: InFlight,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard let read = answered.request.read else { return }
        if !response.isFailure, answered.generation == writes[answered.request.unit],
            let place = memory?.keep(read, generation: answered.generation, at: now)
        {
            actions.append(.keepResponse(place: place))
        } else if answered.askers.count > 1, configuration.sharesReads {
            gathering = Gathering(read, answered: answered.clients, after: now - answered.sentAt, at: now)
        }
    }
}

// MARK: - Responses

extension Multiplexer {
    /// Takes the request that a response answers out of flight, and says whom it is for.
    private mutating func match(
        _ response: Response,
        on id: LinkID,
        at now: Duration,
        into actions: inout [Action]
    ) -> InFlight? {
        guard !response.isUnsolicited else {
            link.keepQuiet(fromStrayAt: now)
            statistics.strays += 1
            actions.append(.report(.unsolicitedMessage))
            return nil
        }
        guard link.isReady(id), let index = inFlight.firstIndex(where: { $0.isAnswered(by: response) }) else {
            drop(response, on: id, at: now, into: &actions)
            return nil
        }
        straysInARow = 0
        link.keepQuiet(from: now)
        link.answered(at: now, into: &actions)
        let answered = inFlight.remove(at: index)
        land(answered)
        note(response, to: answered, at: now, into: &actions)
        if response.isLast {
            _ = loseInFlight(repeatsReads: true, at: now, into: &actions)
            link.answeredLast(id, into: &actions)
        }
        return answered
    }

    private mutating func drop(_ response: Response, on id: LinkID, at now: Duration, into actions: inout [Action]) {
        statistics.strays += 1
        link.keepQuiet(fromStrayAt: now)
        if link.isReady(id), inFlight.contains(where: { $0.isBroadcast(answeredBy: response) }) {
            link.answered(at: now, into: &actions)
            actions.append(.report(.broadcastAnswered))
            return
        }
        if configuration.carriesTransactionIDs, transactionIDs.isRetired(response.transactionID, at: now) {
            statistics.late += 1
            // It may be that of a write, which the device did just now.
            writes.advance(nil)
            actions.append(.report(.lateResponse(response)))
            return
        }
        actions.append(.report(.strayResponse(response)))
        straysInARow += 1
        let (times, rest) = straysInARow.quotientAndRemainder(dividingBy: Self.straysOfCompetitor)
        if rest == 0, times.nonzeroBitCount == 1 { actions.append(.report(.competitorSuspected(strays: straysInARow))) }
        // Without ids, whatever comes next could be taken for the answer to the next request.
        if link.isReady(id), !configuration.carriesTransactionIDs {
            failInFlight(.connectionLost, at: now, into: &actions)
            link.replace(id, after: .stray, into: &actions)
        }
    }

    /// Fails what the damaged message answered; the connection is in step again.
    private mutating func answerDamaged(on id: LinkID, at now: Duration, into actions: inout [Action]) {
        guard link.isReady(id), !configuration.carriesTransactionIDs, !inFlight.isEmpty else { return }
        link.keepQuiet(from: now)
        link.answered(at: now, into: &actions)
        actions.append(.report(.responseDamaged))
        failInFlight(.connectionLost, at: now, into: &actions)
    }
}

// MARK: - Lost connections

extension Multiplexer {
    private mutating func closed(
        _ id: LinkID,
        midResponse: Bool,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard link.id == id else { return }
        let unanswered = inFlight.count
        let repeats = loseInFlight(repeatsReads: !midResponse && link.mayRepeat, at: now, into: &actions)
        let isFailure = link.closed(
            id,
            unanswered: unanswered,
            repeats: repeats,
            hasWaiting: clients.hasWaiting,
            at: now,
            into: &actions
        )
        if isFailure { failWaiting(.unreachable, into: &actions) }
    }

    /// What was in flight will not be answered: it is sent once more where that is safe, else it fails.
    ///
    /// Safe is what never left, and with `repeatsReads` what changes nothing. Says whether there was any.
    private mutating func loseInFlight(repeatsReads: Bool, at now: Duration, into actions: inout [Action]) -> Bool {
        guard drain == .notRequested else {
            failInFlight(.connectionLost, at: now, into: &actions)
            return false
        }
        var again: [(asker: Asker, request: Request)] = []
        for index in inFlight.indices where inFlight[index].isUnsent || (repeatsReads && inFlight[index].isRead) {
            let askers = inFlight[index].askers.remove { !$0.isRepeat && now < $0.deadline }
            for asker in askers { again.append((asker, inFlight[index].request)) }
        }
        // The last one first, so that each goes before those that came after it: not the order in which they were sent,
        // since a read may have joined what was sent before an earlier one.
        again.sort { $0.asker.number > $1.asker.number }
        for (asker, request) in again { putBack(asker, request, into: &actions) }
        failInFlight(.connectionLost, at: now, into: &actions)
        return !again.isEmpty
    }

    private mutating func putBack(_ asker: Asker, _ request: Request, into actions: inout [Action]) {
        statistics.sentAgain += 1
        actions.append(.report(.sendingAgain(asker.request)))
        let waiting = Waiting(
            id: asker.request,
            number: asker.number,
            request: request,
            deadline: asker.deadline,
            generation: asker.generation,
            isRepeat: true
        )
        clients.putBack(waiting, of: asker.client)
    }
}

// MARK: - Time

extension Multiplexer {
    private mutating func visit(at deadline: Duration, into actions: inout [Action]) {
        if let nextVisit, nextVisit <= deadline { return }
        nextVisit = deadline
        actions.append(.setDeadline(deadline))
    }

    private mutating func expire(at now: Duration, into actions: inout [Action]) {
        if link.expire(at: now, into: &actions) { failWaiting(.unreachable, into: &actions) }
        expireInFlight(at: now, into: &actions)
        expireWaiting(at: now, into: &actions)
        if let deadline = drain.deadline, deadline <= now {
            failInFlight(.draining, at: now, into: &actions)
            drain = .overdue
        }
    }

    private mutating func expireInFlight(at now: Duration, into actions: inout [Action]) {
        var index = 0
        var timedOut = false
        var isGone = false
        while index < inFlight.count {
            if inFlight[index].deviceDeadline <= now {
                let silent = inFlight.remove(at: index)
                retire(silent, at: now)
                link.keepQuiet(from: now)
                if silent.request.expectsResponse {
                    timedOut = true
                    isGone = link.fellSilent(at: now)
                    actions.append(.report(.responseTimedOut(transactionID: silent.transactionID)))
                }
                fail(silent, .unanswered, into: &actions)
                continue
            }
            // The client's time is up, the device's is not: its response is swallowed, the connection kept.
            for asker in inFlight[index].askers.remove(where: { $0.deadline <= now }) {
                fail(asker.request, inFlight[index].request, .expired, to: asker.client, into: &actions)
            }
            index += 1
        }
        guard timedOut, link.isReady, let id = link.id else { return }
        if !configuration.carriesTransactionIDs || isGone {
            failInFlight(.unanswered, at: now, into: &actions)
            link.replace(id, after: .silence, into: &actions)
        }
    }

    private mutating func expireWaiting(at now: Duration, into actions: inout [Action]) {
        let failure = link.isReady ? Failure.expired : .unreachable
        for taken in clients.takeExpired(at: now) {
            fail(taken.request.id, taken.request.request, failure, to: taken.client, into: &actions)
            if taken.resumes { actions.append(.resumeReading(taken.client)) }
        }
    }

    private mutating func visitAtEarliestDeadline(into actions: inout [Action]) {
        var earliest: Duration?
        func consider(_ deadline: Duration?) {
            guard let deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        for request in inFlight {
            consider(request.deviceDeadline)
            for asker in request.askers { consider(asker.deadline) }
        }
        consider(clients.earliestDeadline)
        consider(drain.deadline)
        if let earliest { visit(at: earliest, into: &actions) }
    }

    private mutating func finishDrain(into actions: inout [Action]) {
        switch drain {
        case .finishing(let deadline) where inFlight.isEmpty:
            closeClients(into: &actions)
            drain = .closing(until: deadline)
            finishDrain(into: &actions)
        case .overdue:
            closeClients(into: &actions)
            fallthrough
        case .closing where clients.isEmpty && link.id == nil:
            drain = .done
            actions.append(.drained)
        default:
            break
        }
    }

    private mutating func closeClients(into actions: inout [Action]) {
        for client in clients.all { close(client, into: &actions) }
    }

    private mutating func close(_ client: ClientID, into actions: inout [Action]) {
        if clients.closes(client) { actions.append(.closeClient(client)) }
    }
}
