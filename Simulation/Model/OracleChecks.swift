import MultiplexerCore

// MARK: - Each action

extension Oracle {
    mutating func check(_ action: Multiplexer.Action, at now: Duration) throws(Violation) {
        if case .setDeadline = action {} else { step.isInVain = false }
        if !mayStandAmongShares(action) { try checkNobodyLeft() }
        switch action {
        case .connect(let id): try checkConnect(id, at: now)
        case .disconnect(let id): try checkDisconnect(id, at: now)
        case .send(let id, let transactionID): try checkSend(id, as: transactionID, at: now)
        case .respond(let id, let client):
            let serial = try checkEnd(of: id, to: client)
            try expect(requests[serial].state == .sent, "1: a request was answered that was not sent")
            try expect(step.toRespond.contains(serial), "1: a client got a response that does not answer its request")
            try expect(step.meant == step.matched?.serial, "1: a client got the response of another request")
            try expect(step.fits, "1: a client got what does not fit what it asked")
            try checkValue(step.value, for: serial)
            counted.responses += 1
            step.toRespond.removeAll { $0 == serial }
            end(id, serial)
        case .cacheResponse(let slot):
            try checkCacheResponse(slot)
        case .respondCached(let id, let slot, let age, let client):
            try checkRespondCached(id, slot, age, to: client, at: now)
        case .fail(let id, let failure, let client):
            try checkFail(id, failure, to: client, at: now)
        case .complete(let id, let client):
            try checkComplete(id, to: client, at: now)
        case .discard(let id):
            guard let serial = serials[id] else { throw Violation("2: a request ended twice") }
            try expect(clients[requests[serial].client]?.isHere != true, "2: a request of a present client vanished")
            counted.abandoned += 1
            end(id, serial)
        case .pauseReading(let client):
            try expect(clients[client]?.isHere == true, "5: a client that left was paused")
            try expect(clients[client]?.isPaused == false, "5: a paused client was paused")
            clients[client]?.isPaused = true
        case .resumeReading(let client):
            try expect(clients[client]?.isHere == true, "5: a client that left was resumed")
            try expect(clients[client]?.isPaused == true, "5: a client was resumed that was not paused")
            clients[client]?.isPaused = false
        case .closeClient(let client):
            try expect(clients[client]?.isHere == true, "a client that left was closed")
            try expect(clients[client]?.isClosed == false, "a client was closed twice")
            try expect(drainDeadline != nil, "a client was closed for nothing")
            clients[client]?.isClosed = true
        case .setDeadline(let deadline):
            if let asked { try expect(deadline < asked, "a deadline was moved later") }
            asked = deadline
        case .report(let report):
            try checkReport(report, at: now)
        case .drained:
            try expect(drainDeadline != nil && !isDrained, "9: a drain ended that was none")
            try expect(
                step.isDrainOverdue || (present.isEmpty && link == nil),
                "9: a drain ended before clients and connection were gone"
            )
            try expect(serials.isEmpty, "9: a drain left requests without an end")
            isDrained = true
        }
    }

    /// Whether an action may stand between those that let reads share: nothing else is sent or answered meanwhile.
    private func mayStandAmongShares(_ action: Multiplexer.Action) -> Bool {
        switch action {
        case .report(.sharing), .setDeadline, .resumeReading:
            true
        case .fail(let id, .expired, _), .fail(let id, .heldBack, _):
            // Its time ran out while it waited for others, or its client is not trusted with it.
            step.leader.map { leader in serials[id].map { isEqual($0, to: leader) } ?? false } ?? false
        default:
            false
        }
    }

    private mutating func checkConnect(_ id: LinkID, at now: Duration) throws(Violation) {
        try expect(link == nil, "3: a second connection was opened")
        try expect(id.rawValue > lastLink, "a connection has the number of an older one")
        try expect(drainDeadline == nil, "9: a connection was opened in a drain")
        try expect(releasedUntil == nil, "a connection was opened to a device that somebody else has")
        try expect(hasAskingClients, "a connection was opened for nobody")
        try expect(backingOffUntil == nil && !step.hasFailed, "a failed device was asked again too early")
        try expect(now >= connectNotBefore, "a connection was opened before the device had settled")
        try expect(!isResting || hasWaiting, "an idle connection was opened again for no request")
        lastLink = id.rawValue
        isResting = false
        silences = 0
        counted.connects += 1
        link = Link(id: id, connectDeadline: now + configuration.connectTimeout, attempt: now)
    }

    private mutating func checkDisconnect(_ id: LinkID, at now: Duration) throws(Violation) {
        guard let link, link.id == id else { throw Violation("a connection was closed that is none") }
        try expect(!link.isClosing, "a connection was closed twice")
        if link.isOverdue {
            self.link?.hasFailed = true
        } else if link.isTainted || silences >= 2 {
            let hasFailed = !link.hasResponded && isFailure(link.blame, mayRepeat: false)
            self.link?.hasFailed = hasFailed
            if !link.hasResponded, link.blame == .device { hasForgiven = true }
        } else if !link.isSpent {
            step.closesQuietly = true
            step.mayLeave = !isWanted(at: now)
            step.mayCloseIdle = isIdle && use.least + (configuration.idleClose ?? .never) <= now
            step.mayRenew =
                link.isReady && flights.isEmpty && now >= (hasWaiting ? lastUseOfLink : quietRenewal) ?? .never
            try expect(
                step.mayLeave || step.mayCloseIdle || step.mayRenew,
                "a connection that is wanted and works was closed"
            )
        }
        self.link?.isClosing = true
        endFlights()
    }

    private mutating func checkSend(
        _ id: RequestID,
        as transactionID: UInt16,
        at now: Duration
    ) throws(Violation) {
        guard let serial = serials[id] else { throw Violation("2: an ended request was sent") }
        let request = requests[serial]
        try expect(request.state == .waiting, "4: a request was sent twice")
        try expect(clients[request.client]?.isHere == true, "4: a request was sent whose client has left")
        try expect(now < request.deadline, "4: a request was sent whose deadline has passed")
        try expect(!isHeldBack(request.subject, of: request.client, at: now), "a request was sent that is held back")
        let isAlone = request.goesAlone || experience.suspects(request.subject)
        try expect(
            flights.isEmpty || (!isAlone && !flights.contains(where: \.isAlone)),
            "something is in flight beside a request that goes alone"
        )
        guard let link, link.isReady else { throw Violation("a request was sent without a connection that is ready") }
        try expect(!link.isTainted, "1: a request was sent where a late response could answer it")
        try expect(now >= gap.least, "a request was sent before the gap was over")
        try expect(now >= listensUntil, "1: a request was sent before the line was quiet")
        try expect(now < lastUseOfLink ?? .never, "a request was sent on a connection that is too old")
        try expect(
            flights.count < configuration.effectiveInFlightLimit,
            "more requests are in flight than the device takes"
        )
        if configuration.carriesTransactionIDs {
            try expect(!flights.contains { $0.transactionID == transactionID }, "1: an id is in flight twice")
            try expect(!retired.contains(transactionID), "1: an id was used whose late response may come")
        }
        try expect(clients[request.client]?.waiting.first == serial, "a client's requests were not sent in their order")
        try expect(
            hasFlights(of: request.client) || !isResponseKnown(to: serial, at: now),
            "a read was sent though its answer is known or on its way"
        )
        try checkTurn(of: serial)
        clients[request.client]?.waiting.removeFirst()
        requests[serial].state = .sent
        counted.sent += 1
        sendings += 1
        if !request.isRead {
            raiseBarrier(request.unit)
            clients[request.client]?.writes.record(sendings, request.unit)
        }
        if request.expectsResponse { self.link?.wasAsked = true }
        gap.push(to: now + configuration.minimumGap)
        earlyEnds = 0
        use.push(to: now)
        flights.append(
            Flight(
                serial: serial,
                number: request.sendings,
                sending: sendings,
                id: id,
                sentAt: now,
                barrier: barriers[request.unit],
                waiters: [serial],
                transactionID: transactionID,
                correlation: request.correlation,
                expectsResponse: request.expectsResponse,
                deviceDeadline: now
                    + (request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay),
                isAlone: isAlone
            )
        )
        requests[serial].sendings += 1
        if configuration.sharesReads, request.read != nil { step.leader = serial }
    }

    /// Between two turns of one client, every other that waited all the time has one; with writes first, every other that
    /// waited in the same line.
    ///
    /// What is sent once more had its turn: it goes before all others, and counts as no other turn.
    mutating func checkTurn(of serial: Int) throws(Violation) {
        let client = requests[serial].client
        let isUrgent = isUrgent(serial)
        let isFirst = try takeFirstTurn(of: client, isUrgent)
        try checkLine(of: client, isUrgent)
        coalescingWindow = nil
        turn += 1
        turnBefore = (client, isUrgent)
        clients[client]?.lastServed = turn
        guard !isReturned(serial) else {
            clients[client]?.returned -= 1
            return
        }
        if !isFirst, let last = clients[client]?.lastSent[isUrgent] {
            for other in present where other != client {
                guard let waiting = clients[other], let next = waiting.waiting.first, self.isUrgent(next) == isUrgent
                else { continue }
                try expect(
                    waiting.waitingSince >= last || waiting.lastServed >= last,
                    "5: a client had two turns while another waited",
                    "\(client.text) before \(other.text)"
                )
            }
        }
        clients[client]?.lastSent[isUrgent] = turn
    }

    /// Whether a request stands in the line of those that go first.
    private func isUrgent(_ serial: Int) -> Bool { configuration.sendsWritesFirst && !requests[serial].isRead }

    /// Writes that go first and all else take turns while both wait, and no client has two turns in a row.
    private func checkLine(of client: ClientID, _ isUrgent: Bool) throws(Violation) {
        guard let turnBefore else { return }
        let lines = Dictionary(grouping: present.filter { clients[$0]?.waiting.isEmpty == false }) { id in
            clients[id]?.waiting.first.map(self.isUrgent) == true
        }
        guard let other = lines[!isUrgent] else { return }
        try expect(turnBefore.client != client, "5: a client had two turns while another waited")
        try expect(
            turnBefore.isUrgent != isUrgent || other.contains(turnBefore.client),
            isUrgent ? "5: a write went first while it was another's turn" : "a write did not go first"
        )
    }

    /// Says whether it was a turn before all others, which nobody else may take.
    private mutating func takeFirstTurn(of client: ClientID, _ isUrgent: Bool) throws(Violation) -> Bool {
        let index = firstTurns.firstIndex { $0.client == client }
        let isLoose = index.map { firstTurns[$0].isLoose } ?? false
        try expect(
            isLoose
                || firstTurns[..<(index ?? firstTurns.endIndex)].allSatisfy { turn in
                    turn.isLoose || clients[turn.client]?.waiting.first.map(self.isUrgent) != isUrgent
                },
            "a request that is sent once more was not the next"
        )
        if let index { firstTurns.remove(at: index) }
        return index != nil
    }

    /// Whether a request was sent before and waits.
    func isReturned(_ serial: Int) -> Bool {
        requests[serial].wasReturned && requests[serial].state == .waiting
    }

    private mutating func checkComplete(_ id: RequestID, to client: ClientID, at now: Duration) throws(Violation) {
        let serial = try checkEnd(of: id, to: client)
        let request = requests[serial]
        try expect(!request.expectsResponse, "2: a request ended without the response that it expects")
        let isOverdue = request.deadline <= now
        try expect(
            request.state == .sent || isOverdue || isUnreachable || drainDeadline != nil
                || isHeldBack(request.subject, of: client, at: now),
            "a broadcast was given up that could be sent"
        )
        counted.broadcasts += 1
        clients[client]?.lastServed = turn
        if request.state == .waiting { turnBefore = nil }
        if !isOverdue { addEndedFlight(of: serial) }
        end(id, serial)
    }

    private mutating func checkFail(
        _ id: RequestID,
        _ failure: Failure,
        to client: ClientID,
        at now: Duration
    ) throws(Violation) {
        let serial = try checkEnd(of: id, to: client)
        let request = requests[serial]
        try expect(request.expectsResponse, "1: a client got a failure that it would take for another request's answer")
        switch failure {
        case .unreachable:
            try expect(!request.mayHaveLeft, "4: a request was called never sent that may have left")
            try expect(
                request.state == .waiting && (link?.isReady != true || releasedUntil != nil),
                "a reachable device was called unreachable"
            )
            try expect(isUnreachable || request.deadline <= now, "a request was given up that could wait")
            counted.unreachable += 1
        case .unanswered, .connectionLost:
            let isLostAgain =
                request.mayHaveLeft && (isUnreachable || request.deadline <= now || drainDeadline != nil)
                && failure == .connectionLost
            try expect(!step.returned.contains(serial) || isLostAgain, "a request failed that could be sent once more")
            try expect(request.state == .sent || isLostAgain, "a request was called unanswered that was not sent")
            addEndedFlight(of: serial)
            counted.unanswered += 1
        case .expired:
            try expect(request.deadline <= now, "a request expired before its deadline")
            counted.expired += 1
        case .heldBack:
            try expect(request.state == .waiting, "a request was held back that was sent")
            try expect(clients[client]?.waiting.first == serial, "2: a request that is held back overtakes another")
            try expect(isHeldBack(request.subject, of: client, at: now), "a request was held back for nothing")
            counted.heldBack += 1
        case .draining:
            try expect(drainDeadline != nil, "a drain ended a request and was none")
            try expect(!request.mayHaveLeft, "4: a request was called never sent that may have left")
            try expect(request.state == .waiting, "4: a request was called never sent that was in flight")
            counted.drained += 1
        }
        clients[client]?.lastServed = turn
        // Whether it was its turn cannot be seen.
        if request.state == .waiting { turnBefore = nil }
        end(id, serial)
    }

    /// Nobody will be answered by what a request was waiting for.
    private mutating func addEndedFlight(of serial: Int) {
        if let flight = flights.first(where: { $0.waiters.contains(serial) }) { step.ended.append(flight.sending) }
    }

    /// Whether requests that wait fail now: the device does not let itself be connected to.
    private var isUnreachable: Bool {
        step.hasFailed || backingOffUntil != nil || link?.isOverdue == true || releasedUntil != nil
    }

    func checkEnd(of id: RequestID, to client: ClientID) throws(Violation) -> Int {
        guard let serial = serials[id] else { throw Violation("2: a request ended twice") }
        try expect(requests[serial].client == client, "1: a client got what another asked for")
        try expect(clients[client]?.isHere == true, "2: a client got something after it left")
        return serial
    }

    mutating func end(_ id: RequestID, _ serial: Int) {
        let client = requests[serial].client
        serials[id] = nil
        for index in flights.indices { flights[index].waiters.removeAll { $0 == serial } }
        let wasReturned = isReturned(serial)
        if wasReturned { clients[client]?.returned -= 1 }
        requests[serial].state = .ended
        clients[client]?.waiting.removeAll { $0 == serial }
        guard wasReturned, let index = firstTurns.firstIndex(where: { $0.client == client }) else { return }
        if clients[client]?.waiting.isEmpty == true {
            firstTurns.remove(at: index)
        } else {
            firstTurns[index].isLoose = true
        }
    }
}
