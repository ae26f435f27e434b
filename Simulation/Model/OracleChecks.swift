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
            try expect(step.toAnswer.contains(serial), "1: a client got a response that does not answer its request")
            try expect(step.meant == step.answered?.serial, "1: a client got the response of another request")
            try expect(step.fits, "1: a client got what does not fit what it asked")
            try checkValue(step.value, for: serial)
            counted.responses += 1
            step.toAnswer.removeAll { $0 == serial }
            end(id, serial)
        case .cacheResponse(let place):
            try checkKeep(place)
        case .respondCached(let id, let place, let age, let client):
            try checkRespondKept(id, place, age, to: client, at: now)
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
        try expect(hasAskers, "a connection was opened for nobody")
        try expect(backingOffUntil == nil && !step.hasFailed, "a failed device was asked again too early")
        try expect(now >= connectNotBefore, "a connection was opened before the device had settled")
        try expect(!isResting || hasWaiting, "an idle connection was opened again for no request")
        lastLink = id.rawValue
        isResting = false
        silences = 0
        counted.connects += 1
        link = Link(id: id, connectDeadline: now + configuration.connectTimeout)
    }

    private mutating func checkDisconnect(_ id: LinkID, at now: Duration) throws(Violation) {
        guard let link, link.id == id else { throw Violation("a connection was closed that is none") }
        try expect(!link.isClosing, "a connection was closed twice")
        if link.isOverdue {
            self.link?.hasFailed = true
        } else if link.isTainted || silences >= 2 {
            let hasFailed = !link.hasAnswered && isFailure(link.blame, mayRepeat: false)
            self.link?.hasFailed = hasFailed
            if !link.hasAnswered, link.blame == .device { hasForgiven = true }
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
        land()
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
            hasFlights(of: request.client) || !isAnswerKnown(to: serial, at: now),
            "a read was sent though its answer is known or on its way"
        )
        try checkTurn(of: serial)
        clients[request.client]?.waiting.removeFirst()
        requests[serial].state = .sent
        counted.sent += 1
        sendings += 1
        if !request.isRead {
            raiseBarrier(request.unit)
            clients[request.client]?.writes.note(sendings, request.unit)
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
                askers: [serial],
                transactionID: transactionID,
                correlation: request.correlation,
                expectsResponse: request.expectsResponse,
                deviceDeadline: now
                    + (request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay),
                isAlone: isAlone
            )
        )
        requests[serial].sendings += 1
        if request.read != nil { step.leader = serial }
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
        gathering = nil
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
        if !isOverdue { noteFlightEnds(serial) }
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
            try expect(request.state == .waiting && link?.isReady != true, "a reachable device was called unreachable")
            try expect(isUnreachable || request.deadline <= now, "a request was given up that could wait")
            counted.unreachable += 1
        case .unanswered, .connectionLost:
            let isLostAgain =
                request.mayHaveLeft && (isUnreachable || request.deadline <= now || drainDeadline != nil)
                && failure == .connectionLost
            try expect(!step.returned.contains(serial) || isLostAgain, "a request failed that could be sent once more")
            try expect(request.state == .sent || isLostAgain, "a request was called unanswered that was not sent")
            noteFlightEnds(serial)
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
    private mutating func noteFlightEnds(_ serial: Int) {
        if let flight = flights.first(where: { $0.askers.contains(serial) }) { step.ended.append(flight.sending) }
    }

    /// Whether requests that wait fail now: the device does not let itself be connected to.
    private var isUnreachable: Bool { step.hasFailed || backingOffUntil != nil || link?.isOverdue == true }

    func checkEnd(of id: RequestID, to client: ClientID) throws(Violation) -> Int {
        guard let serial = serials[id] else { throw Violation("2: a request ended twice") }
        try expect(requests[serial].client == client, "1: a client got what another asked for")
        try expect(clients[client]?.isHere == true, "2: a client got something after it left")
        return serial
    }

    mutating func end(_ id: RequestID, _ serial: Int) {
        let client = requests[serial].client
        serials[id] = nil
        for index in flights.indices { flights[index].askers.removeAll { $0 == serial } }
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

// MARK: - Reports

extension Oracle {
    private mutating func checkReport(_ report: Multiplexer.Report, at now: Duration) throws(Violation) {
        switch report {
        case .backingOff(let attempt, let delay):
            try expect(
                wait(of: leastStep) <= delay && delay <= wait(of: longestStep),
                "a wait is out of range",
                delay.text
            )
            try expect(step.hasFailed, "a device that answers was backed off from")
            try expect(link == nil, "3: another attempt is awaited while a connection is left")
            try expect(attempt == failures, "failed attempts were counted wrong", "\(attempt), not \(failures)")
            backingOffUntil = now + delay
        case .strayResponse:
            try take([.stray, .strayOrLate])
            guard !step.isExplained else { return }
            strays += 1
            let (times, rest) = strays.quotientAndRemainder(dividingBy: 3)
            if rest == 0, times.nonzeroBitCount == 1 { step.due.append(.competitor(strays)) }
        case .lateResponse:
            try take([.late, .strayOrLate])
            noteLate()
            counted.late += 1
        case .competitorSuspected(let strays): try take([.competitor(strays)])
        case .unsolicitedMessage: try take([.unsolicited])
        case .broadcastAnswered: try take([.broadcastAnswered])
        case .closedEarly: try take([.closedEarly], "a failed connection was forgiven")
        case .sendingAgain(let id):
            try take(serials[id].map { [.again($0)] } ?? [], "4: a request is to be sent again that may not be")
            counted.sentAgain += 1
        case .sharing(let id, let other):
            try checkSharing(id, with: other, at: now)
        case .closingIdle, .renewing:
            step.reported.append(report)
        case .ready(let id):
            try expect(link?.id == id && link?.isReady == true, "a connection was called ready that is not")
        case .connectTimedOut(let id):
            try expect(link?.id == id && link?.isOverdue == true, "a connection attempt was called overdue that is not")
        case .responseTimedOut(let request, _):
            try take(naming: request) { if case .timedOut(let askers) = $0 { askers } else { nil } }
        case .responseDamaged(_, let request):
            try take(naming: request) { if case .damaged(let askers) = $0 { askers } else { nil } }
        case .wideValues: try take([.wide])
        case .noise(let bytes): try take([.noise(bytes)])
        case .mismatchRecognised(let pattern): try take([.mismatch(pattern)], "a device was blamed for nothing")
        case .oldConnectionCounted(let delay): try take([.counted(delay)], "a device was waited for without a reason")
        case .oldConnectionForgotten(let time): try take([.forgotten(time)])
        case .drainOverdue(let count): try take([.drainOverdue(count)])
        case .heldBack(let request, let delay):
            try take(naming: request, "a request is held back for nothing") { due in
                if case .heldBack(let askers, delay) = due { askers } else { nil }
            }
        case .connectionLost, .replacingConnection, .closedUnasked, .answersAgain, .lastResponse:
            break
        }
    }

    private mutating func take(
        _ accepted: [Due],
        _ promise: String = "something was reported that did not happen"
    ) throws(Violation) {
        guard let index = step.due.firstIndex(where: accepted.contains) else { throw Violation(promise) }
        step.due.remove(at: index)
    }

    /// Takes what is due of a flight, whose askers `askers` finds in it.
    private mutating func take(
        naming request: RequestID?,
        _ promise: String = "something was reported that did not happen",
        _ askers: (Due) -> [Int]?
    ) throws(Violation) {
        guard let index = step.due.firstIndex(where: { askers($0).map { isNamed(request, of: $0) } ?? false }) else {
            throw Violation(step.due.contains { askers($0) != nil } ? "1: a report names another's request" : promise)
        }
        step.due.remove(at: index)
    }

    /// Whether a report names a flight with these askers: by one of them, or by none where all are gone.
    func isNamed(_ request: RequestID?, of askers: [Int]) -> Bool {
        guard let request else { return askers.isEmpty }
        return serials[request].map(askers.contains) ?? false
    }
}

// MARK: - What holds between events

extension Oracle {
    mutating func end(at now: Duration, _ statistics: Multiplexer.Statistics) throws(Violation) {
        try checkNobodyLeft()
        try expect(step.toAnswer.isEmpty, "2: a response did not reach the client that asked")
        try expect(step.toKeep == nil, "a response was not kept")
        if let refused = step.refused {
            try expect(requests[refused].state == .ended, "a request waits that is held back")
        }
        if step.isAnswerKnown, let arrived = step.arrived {
            try expect(requests[arrived].state != .waiting, "a read waits though its answer is known or on its way")
        }
        for sending in step.ended {
            try expect(!flights.contains { $0.sending == sending }, "a request was given up before its time")
        }
        try expect(step.due.isEmpty, "something happened that was not reported", "\(step.due)")
        try checkQuietClosing()
        try checkRequests(at: now)
        try checkClients(at: now)
        try checkLink(at: now)
        try checkDrain()
        try checkDeadline(at: now)
        try expect(statistics == counted, "the statistics are wrong", "\(statistics), it was \(counted)")
    }

    /// A connection that works was closed for the reason that was reported.
    private mutating func checkQuietClosing() throws(Violation) {
        guard step.closesQuietly else {
            return try expect(step.reported.isEmpty, "a connection was called closed that was not")
        }
        switch step.reported {
        case [.closingIdle]:
            try expect(step.mayCloseIdle, "a connection was called idle that is not")
            link?.wasIdle = true
            if isSilent { link?.hasFailed = true }
        case [.renewing]:
            try expect(step.mayRenew, "a connection was called old that is not")
            if isSilent { link?.hasFailed = true }
        default:
            try expect(step.mayLeave && step.reported.isEmpty, "a connection was closed without its reason")
        }
    }

    private func checkRequests(at now: Duration) throws(Violation) {
        for serial in serials.values {
            let request = requests[serial]
            if request.state == .sent {
                try expect(
                    flights.contains { $0.askers.contains(serial) },
                    "2: a request that will not be answered did not end"
                )
            }
            if step.isVisit { try expect(now < request.deadline, "2: a request did not end at its deadline") }
            try expect(step.left != request.client, "2: a request did not end with its client")
        }
    }

    private func checkClients(at now: Duration) throws(Violation) {
        let limit = configuration.waitingLimit
        let isSending =
            link?.isReady == true && flights.count < configuration.effectiveInFlightLimit
            && now >= max(gap.most, listensUntil) && !isWaitingAlone && !(hasFlights && now >= lastUseOfLink ?? .never)
            && !isGathering(at: now)
        for id in present {
            guard let client = clients[id] else { continue }
            let waiting = client.waiting.count - client.returned
            try expect(waiting <= limit + overrun, "5: a client has too many requests waiting", id.text)
            try expect(client.isPaused || waiting < limit, "5: a client is read though many wait", id.text)
            try expect(!client.isPaused || client.waiting.count > limit / 2, "5: a client stays paused", id.text)
            guard !client.waiting.isEmpty else { continue }
            try expect(backingOffUntil == nil, "a request waits while the next attempt is awaited")
            try expect(drainDeadline == nil, "9: a request waits in a drain")
            try expect(!isSending, "a request waits while the device is idle")
        }
    }

    private func checkLink(at now: Duration) throws(Violation) {
        try expect(!step.hasFailed || backingOffUntil != nil, "a failed device was not backed off from")
        guard let link else {
            let isQuiet = isResting && !hasWaiting
            try expect(
                !isWanted(at: now) || !hasAskers || backingOffUntil != nil || isQuiet || now < connectNotBefore,
                "nobody connects though clients are here"
            )
            return
        }
        guard !link.isClosing, !link.isDead else { return }
        try expect(isWanted(at: now) || !step.isVisit && lingersUntil != nil, "a connection is kept for nobody")
        try expect(!link.isOverdue, "a connection attempt goes on after its time")
        try expect(!link.isSpent, "a connection is kept that takes no further request")
        try expect(!link.isTainted, "1: a connection is kept on which a late response may come")
        try expect(silences < 2, "a connection is kept on which the device is silent")
        // A visit that is late will do it.
        guard isIdle, asked.map({ $0 > now }) ?? true else { return }
        try expect(now < use.most + (configuration.idleClose ?? .never), "an idle connection is kept")
        try expect(now < quietRenewal ?? .never, "an old connection is not renewed")
    }

    private func checkDrain() throws(Violation) {
        guard drainDeadline != nil else { return }
        try expect(!step.isDrainOverdue || isDrained, "9: a drain goes on after its time")
        guard flights.isEmpty else { return }
        for id in present { try expect(clients[id]?.isClosed == true, "9: a client was not closed") }
        try expect(isDrained || !present.isEmpty || link != nil, "9: a drain that has nothing left goes on")
    }

    /// The next visit is asked for no later than anything is due.
    private func checkDeadline(at now: Duration) throws(Violation) {
        func check(_ due: Duration?, _ what: String) throws(Violation) {
            guard let due else { return }
            if let asked, asked <= due { return }
            throw Violation("no visit is asked for when \(what)", due.text)
        }
        for id in present {
            if let first = clients[id]?.waiting.first { try check(requests[first].deadline, "a request expires") }
        }
        for flight in flights {
            try check(flight.deviceDeadline, "a response is overdue")
            for serial in flight.askers { try check(requests[serial].deadline, "a request in flight expires") }
        }
        if let link {
            try checkDeadline(of: link, at: now, check)
        } else {
            try checkDeadlineWithoutLink(at: now, check)
        }
        // It would be visited for ever.
        if step.isVisit, step.isInVain, let asked {
            try expect(asked > now, "a visit in vain asks for the next one at once")
        }
        try check(backingOffUntil, "the next attempt is due")
        if !isDrained { try check(drainDeadline, "a drain is overdue") }
    }

    private func checkDeadlineWithoutLink(
        at now: Duration,
        _ check: (Duration?, String) throws(Violation) -> Void
    ) throws(Violation) {
        let isQuiet = isResting && !hasWaiting
        guard hasAskers, drainDeadline == nil, backingOffUntil == nil, !isQuiet else { return }
        try check(connectNotBefore, "the device has settled")
    }

    private func checkDeadline(
        of link: Link,
        at now: Duration,
        _ check: (Duration?, String) throws(Violation) -> Void
    ) throws(Violation) {
        guard !link.isClosing, !link.isDead else { return }
        if !hasAskers, flights.isEmpty { try check(lingersUntil, "a connection was kept long enough for nobody") }
        guard let connectedAt = link.connectedAt else {
            return try check(link.connectDeadline, "a connection attempt is overdue")
        }
        guard link.isSettled else {
            return try check(connectedAt + configuration.delayAfterConnect, "a connection has settled")
        }
        if isIdle {
            if let idleClose = configuration.idleClose { try check(use.most + idleClose, "a connection is idle") }
            try check(quietRenewal, "a connection is to be renewed")
        } else if hasWaiting, flights.count < configuration.effectiveInFlightLimit, !isWaitingAlone,
            max(gap.most, listensUntil, now) < lastUseOfLink ?? .never
        {
            let silenceEnd = max(gap.most, listensUntil)
            if isGathering(at: now), let gathering {
                try check(max(silenceEnd, gathering.end), "a read was held back long enough")
            } else {
                try check(silenceEnd, "the gap is over")
            }
        }
    }

    /// Everything is quiet: nothing may be left.
    func finish(_ statistics: Multiplexer.Statistics) throws(Violation) {
        try expect(serials.isEmpty, "2: a request never ended")
        try expect(statistics.requests == statistics.ended, "requests and ends differ in the statistics")
        try expect(flights.isEmpty, "something is in flight for ever")
        try expect(present.isEmpty, "a client stays for ever")
        try expect(link == nil, "a connection stays for ever")
        try expect(asked == nil, "a deadline was asked for and not delivered")
        try expect(drainDeadline == nil || isDrained, "9: a drain never ended")
    }
}

// MARK: - What the rules say

extension Oracle {
    var hasFlights: Bool { !flights.isEmpty }

    /// Whether something of this client is in flight.
    func hasFlights(of client: ClientID) -> Bool {
        flights.contains { $0.askers.contains { requests[$0].client == client } }
    }

    /// Whether something is in flight beside which nothing may be, or that which may be next goes alone.
    private var isWaitingAlone: Bool {
        guard hasFlights else { return false }
        return flights.contains(where: \.isAlone)
            || present.contains { client in
                clients[client]?.waiting.first.map { first in
                    requests[first].goesAlone || experience.suspects(requests[first].subject)
                } ?? false
            }
    }

    var hasWaiting: Bool { present.contains { clients[$0]?.waiting.isEmpty == false } }

    /// Whether the connection carries nothing and nothing waits for it.
    private var isIdle: Bool { link?.isReady == true && flights.isEmpty && !hasWaiting }

    /// Whether all that the connection was asked timed out.
    private var isSilent: Bool { link?.wasAsked == true && link?.hasAnswered == false && silences > 0 }

    private func isWanted(at now: Duration) -> Bool {
        guard flights.isEmpty else { return true }
        guard drainDeadline == nil else { return false }
        return hasAskers || now < lingersUntil ?? now
    }

    var leastStep: Duration { max(configuration.backoff.initial, .milliseconds(10)) * 4 / 5 }

    private var longestStep: Duration { max(configuration.backoff.maximum, .milliseconds(10)) }

    /// What is left of a backoff's step behind an attempt.
    func wait(of backoff: Duration) -> Duration {
        max(backoff - step.attempt, configuration.settleTime, min(.milliseconds(10), backoff))
    }

    /// From when on the connection carries no further request.
    private var lastUseOfLink: Duration? {
        guard let age = configuration.connectionLifetime else { return nil }
        return link?.connectedAt.map { $0 + age }
    }

    /// From when on a quiet moment is taken to renew the connection.
    private var quietRenewal: Duration? {
        guard let age = configuration.connectionLifetime else { return nil }
        return link?.connectedAt.map { $0 + age / 4 * 3 }
    }

    func expect(
        _ condition: Bool,
        _ promise: @autoclosure () -> String,
        _ detail: @autoclosure () -> String = ""
    ) throws(Violation) {
        guard condition else { throw Violation(promise(), detail()) }
    }
}

extension Duration {
    /// Later than any time there is.
    static let never = Duration.seconds(1 << 60)
}
