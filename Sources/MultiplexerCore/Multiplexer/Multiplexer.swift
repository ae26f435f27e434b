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
    package internal(set) var configuration: Configuration
    /// What has happened so far.
    package internal(set) var statistics = Statistics()

    var clients: ClientQueues
    var inFlight: [InFlight] = []
    var transactionIDs: TransactionIDs

    var writes = WriteGenerations()
    var cache: ResponseCache?
    var coalescingWindow: CoalescingWindow?

    var link: DeviceLink
    var breakers: CircuitBreakers
    /// Responses in a row that answer nothing that was asked.
    var straysInARow = 0
    /// Answers in a row that came damaged.
    var damagesInARow = 0
    var mismatches = MismatchPatterns()
    var hasToldWideValues = false

    var inFlightLimit: Int
    var drain = Drain.notRequested
    /// Until when somebody else has the device; nil while it is ours.
    var releasedUntil: Duration?
    /// The earliest time asked for and not yet reached.
    ///
    /// May be earlier than the earliest deadline left: then the visit in vain sets the next one. So a deadline costs
    /// nothing while requests are answered.
    var nextVisit: Duration?

    /// A multiplexer for one device.
    ///
    /// Equal seeds give equal transaction ids and jitter. Unless it `mayConnect`, it opens no connection before
    /// ``Event/connectingAllowed``; requests wait meanwhile, each within its time.
    package init(configuration: Configuration, seed: UInt64, mayConnect: Bool = true) {
        self.configuration = configuration
        inFlightLimit = configuration.effectiveInFlightLimit
        clients = ClientQueues(configuration)
        link = DeviceLink(configuration, seed: seed, mayConnect: mayConnect)
        transactionIDs = TransactionIDs(seed: seed)
        breakers = CircuitBreakers(configuration.backoff, seed: seed)
        if configuration.sharesReads {
            cache = configuration.maximumResponseAge.map { ResponseCache(maximumAge: $0) }
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
        case .clientJoined(let client, let origin):
            clients.add(client, from: origin, at: now)
            if drain != .notRequested { close(client, into: &actions) }
        case .clientLeft(let client):
            forget(client, at: now, into: &actions)
        case .requestReceived(let id, let request, let client):
            accept(id, request, from: client, at: now, into: &actions)
        case .requestRepeated(let id):
            extend(id, at: now)
        case .upstreamConnected(let id):
            link.connected(id, at: now, into: &actions)
        case .upstreamClosed(let id, let midResponse):
            closed(id, midResponse: midResponse, at: now, into: &actions)
        case .requestUnsent(let request, let id):
            // The last one, since the id of a request that ended while it was in flight is used again.
            if link.id == id, let index = inFlight.lastIndex(where: { $0.sentAs == request }) {
                inFlight[index].isUnsent = true
            }
            link.ended(id, at: now)
        case .responseReceived(let response, let id):
            let flight = match(response, on: id, at: now, into: &actions)
            // The device gets its next request before the client gets its response: all clients wait for an idle device.
            // But neither a cached response nor the failure of what is held back may go before this one.
            if cache == nil, !breakers.isOpen(at: now) { sendWaiting(at: now, into: &actions) }
            if let flight { respond(to: flight.waiters, into: &actions) }
        case .responseDamaged(let damage, let id):
            receiveDamaged(damage, on: id, at: now, into: &actions)
        case .noiseReceived(let bytes, let id):
            receiveNoise(bytes, on: id, at: now, into: &actions)
        case .deadlineReached:
            nextVisit = nil
            expire(at: now, into: &actions)
            update(at: now, into: &actions)
            return visitAtEarliestDeadline(into: &actions)
        case .connectingAllowed(let isSameDevice):
            link.mayConnect(isSameDevice: isSameDevice, at: now)
        case .configurationReplaced(let configuration):
            replaceConfiguration(by: configuration, at: now, into: &actions)
        case .released(let duration):
            releasedUntil = duration.map { now + $0 } ?? .never
            if let releasedUntil, releasedUntil < .never { visit(at: releasedUntil, into: &actions) }
        case .resumed:
            resume(into: &actions)
        case .drainRequested:
            guard drain == .notRequested else { return }
            drain = .finishing(until: now + configuration.drainTimeout)
            visit(at: now + configuration.drainTimeout, into: &actions)
            failWaiting(.draining, into: &actions)
        }
        update(at: now, into: &actions)
    }

    /// What is true after any event: the connection stands if anyone wants it, the device has work if there is any, a drain
    /// that has nothing left to finish ends.
    private mutating func update(at now: Duration, into actions: inout [Action]) {
        if releasedUntil != nil { failWaiting(.unreachable, into: &actions) }
        if link.adapt(to: demand, at: now, into: &actions) { statistics.connects += 1 }
        sendWaiting(at: now, into: &actions)
        finishDrain(into: &actions)
        if let deadline = link.deadline(demand, at: now) { visit(at: deadline, into: &actions) }
    }

    private var demand: DeviceLink.Demand {
        DeviceLink.Demand(
            hasClients: clients.hasAskingClients && drain == .notRequested && releasedUntil == nil,
            hasInFlight: !inFlight.isEmpty,
            hasWaiting: clients.hasWaiting,
            isDraining: drain != .notRequested || releasedUntil != nil
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
        clients.sentRequest(client)
        link.clientJoined()
        // Looked at first, since nothing is held back most of the time. Behind others of its client it fails when its turn
        // comes: no answer overtakes theirs.
        if breakers.isOpen(at: now), hasNothingOutstanding(client), isHeldBack(request, of: client, at: now) {
            fail(id, request, .heldBack, to: client, into: &actions)
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
        if clients.isIdle(client), sharesEarlier(waiting, of: client, at: now, into: &actions) { return }
        guard !link.isBackingOff, releasedUntil == nil else {
            fail(id, request, .unreachable, to: client, into: &actions)
            return
        }
        visit(at: deadline, into: &actions)
        if clients.enqueue(waiting, of: client) { actions.append(.pauseReading(client)) }
    }

    private mutating func forget(_ client: ClientID, at now: Duration, into actions: inout [Action]) {
        let hadAskingClients = clients.hasAskingClients
        let origin = clients.origin(of: client)
        guard let left = clients.remove(client) else { return }
        for waiting in left {
            statistics.abandoned += 1
            actions.append(.discard(waiting.id))
        }
        for index in inFlight.indices {
            // The response is swallowed when it comes, unless others asked for it, too.
            for waiter in inFlight[index].waiters.remove(where: { $0.client == client }) {
                statistics.abandoned += 1
                actions.append(.discard(waiter.request))
                inFlight[index].leftFrom = origin
            }
        }
        if hadAskingClients, !clients.hasAskingClients { link.lingers(from: now) }
    }

    /// The client gives a request that is not over more time.
    private mutating func extend(_ id: RequestID, at now: Duration) {
        statistics.repeated += 1
        let deadline = now + configuration.queueTimeout
        if clients.extend(id, to: deadline) { return }
        for index in inFlight.indices where inFlight[index].waiters.extend(id, to: deadline) { return }
    }

    /// Sends as many waiting requests as the device may have in flight, one of each client in turn.
    mutating func sendWaiting(at now: Duration, into actions: inout [Action]) {
        // The cheapest first: with one request in flight, most events bring no room for another.
        while inFlight.count < inFlightLimit, clients.hasWaiting, link.mayCarry(at: now), hasRoomForNext,
            !isCoalescing(at: now, into: &actions), let dequeued = clients.dequeueNext()
        {
            guard let waiter = waiter(dequeued, at: now, into: &actions) else { continue }
            let (request, id) = (dequeued.request.request, dequeued.request.id)
            if sharesEarlier(dequeued.request, of: dequeued.client, at: now, into: &actions) { continue }
            if request.mayWrite { writes.advance(request.unit) }
            let transactionID = nextTransactionID(at: now)
            let timeout = request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay
            var flight = InFlight(
                transactionID: transactionID,
                request: request,
                sentAs: id,
                sentAt: now,
                deviceDeadline: now + timeout,
                generation: writes[request.unit],
                // Nobody knows what it does, or whether the device hangs up on it.
                isAlone: request.goesAlone || breakers.suspects(request.subject),
                waiters: Waiters(waiter)
            )
            clients.flightBegan(of: dequeued.client)
            link.asked(request, at: now)
            statistics.sent += 1
            visit(at: now + timeout, into: &actions)
            actions.append(.send(id, transactionID: transactionID))
            shareWithEqual(&flight, dequeued.request.generation, at: now, into: &actions)
            inFlight.append(flight)
        }
    }

    /// Whether the next request may be in flight together with those that are.
    private var hasRoomForNext: Bool {
        if inFlight.isEmpty { return true }
        guard !inFlight[0].isAlone, let next = clients.next else { return false }
        return !next.request.goesAlone && !breakers.suspects(next.request.subject)
    }

    /// Makes a waiter of a request that was taken from a queue; nil if it failed: its time had run out, or it is held back.
    @inline(__always)
    mutating func waiter(
        _ dequeued: ClientQueues.Dequeued,
        at now: Duration,
        into actions: inout [Action]
    ) -> Waiter? {
        if dequeued.resumes { actions.append(.resumeReading(dequeued.client)) }
        let waiting = dequeued.request
        guard now < waiting.deadline else {
            fail(waiting, .expired, to: dequeued.client, into: &actions)
            return nil
        }
        if breakers.isOpen(at: now), isHeldBack(waiting.request, of: dequeued.client, at: now) {
            fail(waiting, .heldBack, to: dequeued.client, into: &actions)
            return nil
        }
        return Waiter(waiting, of: dequeued.client)
    }

    /// Whether nothing of a client waits or is in flight.
    private func hasNothingOutstanding(_ client: ClientID) -> Bool {
        clients.isIdle(client) && !clients.hasInFlight(client)
    }

    private func isHeldBack(_ request: Request, of client: ClientID, at now: Duration) -> Bool {
        breakers.holdsBack(request.subject, of: client, isTrusted: clients.trusts(client), at: now)
    }

    private mutating func nextTransactionID(at now: Duration) -> UInt16 {
        guard configuration.carriesTransactionIDs else { return 0 }
        while true {
            let id = transactionIDs.next(at: now)
            // Nor one that a device would make of another by swapping its bytes.
            if !inFlight.contains(where: { $0.transactionID == id || $0.transactionID == id.byteSwapped }) { return id }
        }
    }

    /// Gives up waiting for a response, which may still come.
    mutating func retire(_ flight: InFlight, at now: Duration) {
        flightEnded(flight)
        if configuration.carriesTransactionIDs {
            transactionIDs.retire(flight.transactionID, at: now)
        } else if flight.request.expectsResponse, !flight.isUnsent {
            link.quiet.listensOnNextConnection()
        }
    }

    /// A request is no longer in flight.
    mutating func flightEnded(_ flight: InFlight) {
        // What was read while a write was in flight may be older or newer than it.
        if flight.request.mayWrite { writes.advance(flight.request.unit) }
    }

    /// Fails a request that waited; of what may have left before nobody says that it never did.
    mutating func fail(_ waiting: Waiting, _ failure: Failure, to client: ClientID, into actions: inout [Action]) {
        let saysNeverSent = failure == .unreachable || failure == .draining
        let told = waiting.mayHaveLeft && saysNeverSent ? Failure.connectionLost : failure
        fail(waiting.id, waiting.request, told, to: client, into: &actions)
    }

    mutating func fail(
        _ id: RequestID,
        _ request: Request,
        _ failure: Failure,
        to client: ClientID,
        into actions: inout [Action]
    ) {
        // A client that expects no response would take a failure for the answer to its next request.
        guard request.expectsResponse else { return complete(id, to: client, into: &actions) }
        statistics.count(failure)
        actions.append(.fail(id, failure, to: client))
    }

    mutating func complete(_ id: RequestID, to client: ClientID, into actions: inout [Action]) {
        statistics.broadcasts += 1
        actions.append(.complete(id, to: client))
    }

    mutating func failWaiting(_ failure: Failure, into actions: inout [Action]) {
        while let dequeued = clients.dequeueNext() {
            fail(dequeued.request, failure, to: dequeued.client, into: &actions)
            if dequeued.resumes { actions.append(.resumeReading(dequeued.client)) }
        }
    }

    mutating func failInFlight(_ failure: Failure, at now: Duration, into actions: inout [Action]) {
        for lost in inFlight {
            retire(lost, at: now)
            fail(lost, failure, into: &actions)
        }
        inFlight.removeAll(keepingCapacity: true)
    }

    mutating func fail(_ flight: InFlight, _ failure: Failure, into actions: inout [Action]) {
        for waiter in flight.waiters {
            clients.flightEnded(of: waiter.client)
            fail(waiter.request, flight.request, failure, to: waiter.client, into: &actions)
        }
    }
}
