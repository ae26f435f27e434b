extension Multiplexer {
    mutating func closed(
        _ id: LinkID,
        midResponse: Bool,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard link.id == id else { return }
        let loss = DeviceLink.Loss(
            unanswered: inFlight.count,
            isMidResponse: midResponse,
            mayRepeat: inFlight.contains { flight in
                (flight.isUnsent || (!midResponse && flight.isRead))
                    && flight.waiters.contains { !$0.isRepeat && now < $0.deadline }
            },
            blame: blame,
            isTrusted: isAskedByTrusted
        )
        let isHangUp = link.isHangUp(loss, at: now)
        let consequence = link.closed(id, loss, hasWaiting: clients.hasWaiting, at: now, into: &actions)
        if isHangUp { deviceHungUp(at: now, into: &actions) }
        switch consequence {
        case .goesOn(let repeatsReads, let excuse):
            // A request that the device may have hung up on goes after those of others, which tell whether it does so on all.
            loseInFlight(
                repeatingReads: repeatsReads,
                evenRepeated: excuse != nil,
                asLast: excuse != nil,
                at: now,
                into: &actions
            )
        case .backsOff:
            loseInFlight(repeatingReads: false, at: now, into: &actions)
            failWaiting(.unreachable, into: &actions)
        }
    }

    /// What it says of the device if nothing that is in flight is answered.
    var blame: Blame {
        var subjects: [Request.Subject] = []
        for flight in inFlight where flight.request.expectsResponse {
            guard let subject = flight.request.subject else { return .nobody }
            subjects.append(subject)
        }
        guard breakers.hasResponded else { return breakers.hasRespondedToNone(of: subjects) ? .nobody : .request }
        return subjects.contains { breakers.knows($0) } ? .device : .request
    }

    /// Whether all that asked for what is in flight are trusted; of a client that has left nobody knows any more.
    private var isAskedByTrusted: Bool {
        inFlight.allSatisfy { flight in
            !flight.request.expectsResponse
                || (!flight.waiters.isEmpty && flight.waiters.allSatisfy { clients.trusts($0.client) })
        }
    }

    private mutating func deviceHungUp(at now: Duration, into actions: inout [Action]) {
        let isAlone = inFlight.count == 1
        for flight in inFlight where !flight.isUnsent && flight.request.expectsResponse {
            if isAlone, let origin = flight.leftFrom { clients.deviceHungUp(onClientFrom: origin, at: now) }
            if isAlone { for waiter in flight.waiters { clients.deviceHungUp(on: waiter.client, at: now) } }
            let (subject, waiters) = (flight.request.subject, flight.waiters)
            if let delay = breakers.deviceHungUp(on: subject, of: waiters, isAlone: isAlone, at: now) {
                actions.append(.report(.heldBack(flight.waiter, delay)))
            }
        }
    }

    /// The requests in flight will not be answered: each is sent again where that is safe, else it fails.
    ///
    /// Safe is what never left, and with `repeatingReads` what changes nothing; with `evenRepeated` it does not count as
    /// sent, since it is not that request's doing. With `asLast` other clients go first.
    mutating func loseInFlight(
        repeatingReads: Bool,
        evenRepeated: Bool = false,
        asLast: Bool = false,
        at now: Duration,
        into actions: inout [Action]
    ) {
        if drain == .notRequested {
            var flights = inFlight
            inFlight = []
            defer { inFlight = flights }
            putBackWaiters(
                of: &flights,
                where: { $0.isUnsent || (repeatingReads && $0.isRead) },
                evenRepeated: evenRepeated,
                asLast: asLast,
                at: now,
                into: &actions
            )
        }
        failInFlight(.connectionLost, at: now, into: &actions)
    }

    /// Lets those who asked wait again, each for its first or, with `evenRepeated`, for any time.
    mutating func putBackWaiters(
        of flights: inout [InFlight],
        where isRepeated: (InFlight) -> Bool = { _ in true },
        evenRepeated: Bool = false,
        asLast: Bool = false,
        at now: Duration,
        into actions: inout [Action]
    ) {
        var again: [(waiter: Waiter, request: Request, mayHaveLeft: Bool)] = []
        for index in flights.indices where isRepeated(flights[index]) {
            let waiters = flights[index].waiters.remove { (evenRepeated || !$0.isRepeat) && now < $0.deadline }
            for waiter in waiters { again.append((waiter, flights[index].request, !flights[index].isUnsent)) }
        }
        // The last one first, so that each goes before those that came after it.
        again.sort { $0.waiter.number > $1.waiter.number }
        for (waiter, request, mayHaveLeft) in again {
            clients.flightEnded(of: waiter.client)
            statistics.sentAgain += 1
            actions.append(.report(.sendingAgain(waiter.request)))
            let waiting = Waiting(
                id: waiter.request,
                number: waiter.number,
                request: request,
                deadline: waiter.deadline,
                generation: waiter.generation,
                isRepeat: true,
                mayHaveLeft: mayHaveLeft || waiter.mayHaveLeft
            )
            clients.putBack(waiting, of: waiter.client)
        }
        if asLast {
            for (waiter, _, _) in again.reversed() { clients.yieldTurn(of: waiter.client) }
        }
    }
}
