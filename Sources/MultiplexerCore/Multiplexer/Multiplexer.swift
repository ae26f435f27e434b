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

    private var link: DeviceLink
    /// Responses in a row that answer nothing that was asked.
    private var straysInARow = 0

    private var drain = Drain.notRequested
    /// The earliest time asked for and not yet reached.
    ///
    /// May be earlier than the earliest deadline left: then the visit in vain sets the next one. So a deadline costs
    /// nothing while requests are answered.
    private var nextVisit: Duration?

    /// So many stray responses in a row are no accident.
    private static let straysOfCompetitor = 3

    /// A multiplexer for one device.
    ///
    /// Equal seeds give equal jitter.
    package init(configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        clients = ClientQueues(limit: configuration.waitingLimit)
        link = DeviceLink(configuration, seed: seed)
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
            if let index = inFlight.firstIndex(where: { $0.asker?.request == request }), link.id == id {
                inFlight[index].isUnsent = true
            }
            link.ended(id, at: now)
            update(at: now, into: &actions)
        case .responseReceived(let response, let id):
            let answered = match(response, on: id, at: now, into: &actions)
            // The device gets its next request before the client gets its response: all clients wait for an idle device.
            sendWaiting(at: now, into: &actions)
            if let answered {
                statistics.responses += 1
                actions.append(.respond(answered.request, to: answered.client))
            }
            update(at: now, into: &actions)
        case .responseDamaged(let id):
            answerDamaged(on: id, at: now, into: &actions)
            update(at: now, into: &actions)
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
        guard !link.isBackingOff else {
            fail(id, request, .unreachable, to: client, into: &actions)
            return
        }
        let deadline = now + configuration.queueTimeout
        visit(at: deadline, into: &actions)
        if clients.enqueue(Waiting(id: id, request: request, deadline: deadline), of: client) {
            actions.append(.pauseReading(client))
        }
    }

    private mutating func forget(_ client: ClientID, at now: Duration, into actions: inout [Action]) {
        guard let left = clients.remove(client) else { return }
        for waiting in left {
            statistics.abandoned += 1
            actions.append(.discard(waiting.id))
        }
        for index in inFlight.indices where inFlight[index].asker?.client == client {
            abandon(index, into: &actions)
        }
        if clients.isEmpty { link.lingers(from: now) }
    }

    /// Leaves a request in flight without its asker: the response is swallowed when it comes.
    private mutating func abandon(_ index: Int, into actions: inout [Action]) {
        guard let asker = inFlight[index].asker else { return }
        inFlight[index].asker = nil
        statistics.abandoned += 1
        actions.append(.discard(asker.request))
    }

    /// Sends as many waiting requests as the device may have in flight, one of each client in turn.
    private mutating func sendWaiting(at now: Duration, into actions: inout [Action]) {
        while link.mayCarry(at: now), inFlight.count < configuration.effectiveInFlightLimit,
            let (client, waiting) = clients.next()
        {
            resumeIfDue(client, into: &actions)
            guard now < waiting.deadline else {
                fail(waiting.id, waiting.request, .expired, to: client, into: &actions)
                continue
            }
            let transactionID = nextTransactionID(at: now)
            let patience =
                waiting.request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay
            inFlight.append(
                InFlight(
                    transactionID: transactionID,
                    request: waiting.request,
                    asker: (waiting.id, client),
                    askerDeadline: waiting.deadline,
                    deviceDeadline: now + patience,
                    isRepeat: waiting.isRepeat
                )
            )
            link.asked(waiting.request, at: now)
            statistics.sent += 1
            visit(at: now + patience, into: &actions)
            actions.append(.send(waiting.id, transactionID: transactionID))
        }
    }

    private mutating func nextTransactionID(at now: Duration) -> UInt16 {
        guard configuration.carriesTransactionIDs else { return 0 }
        while true {
            let id = transactionIDs.next(at: now)
            if !inFlight.contains(where: { $0.transactionID == id }) { return id }
        }
    }

    private mutating func retire(_ transactionID: UInt16, at now: Duration) {
        if configuration.carriesTransactionIDs { transactionIDs.retire(transactionID, at: now) }
    }

    private mutating func resumeIfDue(_ client: ClientID, into actions: inout [Action]) {
        if clients.resumes(client) { actions.append(.resumeReading(client)) }
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
        while let (client, requests) = clients.nextQueue() {
            for waiting in requests {
                fail(waiting.id, waiting.request, failure, to: client, into: &actions)
            }
            resumeIfDue(client, into: &actions)
        }
    }

    private mutating func failInFlight(_ failure: Failure, at now: Duration, into actions: inout [Action]) {
        for lost in inFlight {
            retire(lost.transactionID, at: now)
            if let asker = lost.asker {
                fail(asker.request, lost.request, failure, to: asker.client, into: &actions)
            }
        }
        inFlight.removeAll(keepingCapacity: true)
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
    ) -> (request: RequestID, client: ClientID)? {
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
        let asker = inFlight.remove(at: index).asker
        if response.isLast {
            _ = loseInFlight(repeatsReads: true, at: now, into: &actions)
            link.answeredLast(id, into: &actions)
        }
        return asker
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
        var repeats = false
        // The last one first, so that each goes before those that came after it.
        for index in inFlight.indices.reversed() {
            let lost = inFlight[index]
            guard lost.isUnsent || (repeatsReads && lost.isRead), mayWaitAgain(lost, at: now) else { continue }
            inFlight.remove(at: index)
            retire(lost.transactionID, at: now)
            putBack(lost, into: &actions)
            repeats = true
        }
        failInFlight(.connectionLost, at: now, into: &actions)
        return repeats
    }

    private func mayWaitAgain(_ lost: InFlight, at now: Duration) -> Bool {
        lost.asker != nil && !lost.isRepeat && now < lost.askerDeadline && drain == .notRequested
    }

    private mutating func putBack(_ lost: InFlight, into actions: inout [Action]) {
        guard let asker = lost.asker else { return }
        statistics.sentAgain += 1
        actions.append(.report(.sendingAgain(asker.request)))
        clients.putBack(
            Waiting(id: asker.request, request: lost.request, deadline: lost.askerDeadline, isRepeat: true),
            of: asker.client
        )
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
                retire(silent.transactionID, at: now)
                link.keepQuiet(from: now)
                if silent.request.expectsResponse {
                    timedOut = true
                    isGone = link.fellSilent(at: now)
                    actions.append(.report(.responseTimedOut(transactionID: silent.transactionID)))
                }
                if let asker = silent.asker {
                    fail(asker.request, silent.request, .unanswered, to: asker.client, into: &actions)
                }
                continue
            }
            if let asker = inFlight[index].asker, inFlight[index].askerDeadline <= now {
                // The client's time is up, the device's is not: its response is swallowed, the connection kept.
                inFlight[index].asker = nil
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
        for client in clients.all {
            while let waiting = clients.nextExpired(of: client, at: now) {
                let failure = link.isReady ? Failure.expired : .unreachable
                fail(waiting.id, waiting.request, failure, to: client, into: &actions)
            }
            resumeIfDue(client, into: &actions)
        }
        clients.tidyTurns()
    }

    private mutating func visitAtEarliestDeadline(into actions: inout [Action]) {
        var earliest: Duration?
        func consider(_ deadline: Duration?) {
            guard let deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        for request in inFlight {
            consider(request.deviceDeadline)
            if request.asker != nil { consider(request.askerDeadline) }
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
