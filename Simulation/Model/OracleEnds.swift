import MultiplexerCore

// What the end of a connection means for the books.
extension Oracle {
    mutating func closed(_ id: LinkID, midResponse: Bool, at now: Duration) {
        guard let ended = link, ended.id == id else { return }
        connectNotBefore = now + configuration.settleTime
        if now < listensUntil { mustListen = true }
        listening = nil
        step.attempt = ended.connectedAt == nil ? now - ended.attempt : .zero
        // A connection that never stood was not lost.
        if ended.connectedAt != nil { gap.least = max(gap.least, now + configuration.minimumGap) }
        gap.most = max(gap.most, now + configuration.minimumGap)
        if ended.isClosing {
            endFlights()
            if ended.hasFailed {
                fail(at: now)
            } else if ended.connectedAt != nil {
                connectionEnded(ended.isSpent ? .announced : .ours, at: now)
            }
            isResting = ended.wasIdle && !ended.hasFailed && hasAskingClients && releasedUntil == nil
        } else if ended.isOpen {
            closedReady(midResponse: midResponse, at: now)
        } else if ended.connectedAt != nil {
            closedEarly(at: now)
        } else if mayBeCounted(at: now) {
            awaitOldConnection(isSure: true, at: now)
        } else {
            fail(at: now)
        }
        link = nil
    }

    private mutating func closedEarly(at now: Duration) {
        guard !mayBeCounted(at: now) else { return awaitOldConnection(isSure: true, at: now) }
        guard failures == 0, earlyEnds < Self.earlyEndsForgiven else { return fail(at: now) }
        earlyEnds += 1
        step.due.append(.closedEarly)
    }

    private static let earlyEndsForgiven = 3

    private mutating func closedReady(midResponse: Bool, at now: Duration) {
        guard let ended = link else { return }
        guard ended.wasAsked || ended.hasResponded else {
            endFlights(repeatingReads: true, at: now)
            guard ended.isDead || !hasWaiting else { return closedEarly(at: now) }
            isResting = hasAskingClients && releasedUntil == nil
            return
        }
        let blame = blame
        let isCounted = !ended.hasResponded && !midResponse && mayBeCounted(at: now, blaming: blame)
        let mayRepeat = flights.contains { flight in
            let request = requests[flight.serial]
            return (flight.isUnsent || (!midResponse && request.isRead && request.expectsResponse))
                && flight.waiters.contains { now < requests[$0].deadline && !requests[$0].wasReturned }
        }
        if !isCounted { deviceHungUp(at: now) }
        if isCounted {
            awaitOldConnection(isSure: blame == .device, at: now)
            endFlights(repeatingReads: true, evenReturned: true, asLast: true, at: now)
        } else if !ended.hasResponded, isFailure(blame, mayRepeat: mayRepeat) {
            endFlights(repeatingReads: false, at: now)
            fail(at: now)
        } else {
            if !ended.hasResponded { hasForgiven = hasForgiven || blame != .request }
            endFlights(repeatingReads: !midResponse, at: now)
            connectionEnded(.theirs, at: now)
        }
    }

    mutating func fail(at now: Duration) {
        failures += 1
        step.hasFailed = true
        connectNotBefore = now + wait(of: leastStep)
    }

    /// No byte of it left: when the connection's end has come, it is as if it had not been sent, once.
    mutating func unsent(_ id: RequestID, on ended: LinkID, at now: Duration) {
        guard let link, link.id == ended, link.isOpen else { return }
        self.link?.isDead = true
        gap.push(to: now + configuration.minimumGap)
        // Whoever asked first may be gone, and its id in use again.
        guard let index = flights.lastIndex(where: { $0.id == id }) else { return }
        flights[index].isUnsent = true
    }

    /// A request is in flight no more, and its answer may still come.
    mutating func giveUp(_ flight: Flight) {
        flightEnded(flight)
        retired.insert(flight.transactionID)
        if flight.expectsResponse, !flight.isUnsent, configuration.effectiveQuietTime > .zero { mustListen = true }
    }

    /// Nothing that is in flight will be answered.
    mutating func endFlights() {
        for flight in flights { giveUp(flight) }
        flights.removeAll()
    }

    /// Nothing that is in flight will be answered; what never left, and reads if they may be, are to be sent again.
    mutating func endFlights(
        repeatingReads: Bool,
        evenReturned: Bool = false,
        asLast: Bool = false,
        at now: Duration
    ) {
        var returned: [Int] = []
        for flight in flights where drainDeadline == nil {
            let request = requests[flight.serial]
            guard flight.isUnsent || (repeatingReads && request.isRead && request.expectsResponse) else { continue }
            let again = flight.waiters.filter {
                now < requests[$0].deadline && (evenReturned || !requests[$0].wasReturned)
            }
            for serial in again where !flight.isUnsent { requests[serial].mayHaveLeft = true }
            returned += again
        }
        putBack(returned, asLast: asLast)
        endFlights()
    }

    /// Requests wait again: what came first is first again, before all that its client asks besides.
    mutating func putBack(_ returned: [Int], asLast: Bool = false) {
        let older = firstTurns
        firstTurns = []
        let returned = returned.sorted()
        for serial in returned { requeue(serial, asLast: asLast) }
        for serial in returned.reversed() {
            let client = requests[serial].client
            // What waits behind it has no less time.
            for later in clients[client]?.waiting ?? [] {
                requests[later].deadline = max(requests[later].deadline, requests[serial].deadline)
            }
            clients[client]?.waiting.insert(serial, at: 0)
        }
        firstTurns += older.filter { turn in !firstTurns.contains { $0.client == turn.client } }
    }

    private mutating func requeue(_ serial: Int, asLast: Bool) {
        let client = requests[serial].client
        requests[serial].state = .waiting
        requests[serial].wasReturned = true
        requests[serial].isServedByEarlier = false
        // Who yields its turn waits anew.
        if asLast || clients[client]?.waiting.isEmpty == true { clients[client]?.waitingSince = turn }
        clients[client]?.returned += 1
        if !asLast, !firstTurns.contains(where: { $0.client == client }) {
            firstTurns.append(FirstTurn(client: client))
        }
        step.returned.append(serial)
        step.due.append(.again(serial))
    }
}
