extension Multiplexer {
    /// After this many stray responses in a row another program is using the device, too.
    private static let straysOfCompetitor = 3
    /// After this many damaged answers in a row asking again is in vain.
    private static let damagesBeforeGivingUp = 3

    /// Takes the request that a response answers out of flight, and says whom it is for.
    mutating func match(
        _ response: Response,
        on id: LinkID,
        at now: Duration,
        into actions: inout [Action]
    ) -> InFlight? {
        guard !response.isUnsolicited else {
            link.quiet.startGap(afterStrayAt: now)
            statistics.strays += 1
            actions.append(.report(.unsolicitedMessage))
            return nil
        }
        let carriesIDs = configuration.carriesTransactionIDs
        guard link.isReady(id),
            let index = inFlight.firstIndex(where: { $0.isMatched(by: response, carryingIDs: carriesIDs) })
        else {
            drop(response, on: id, at: now, into: &actions)
            return nil
        }
        let surplus = response.surplus > 0 && inFlight.count > 1 ? ResponseDamage.Cause.surplus(response.surplus) : nil
        if let cause = inFlight[index].damage(in: response) ?? surplus {
            let isInStep = if case .surplus = cause { false } else { true }
            let damage = ResponseDamage(transactionID: response.transactionID, cause, isInStep: isInStep)
            endDamaged(at: index, damage, on: id, at: now, into: &actions)
            return nil
        }
        straysInARow = 0
        damagesInARow = 0
        link.quiet.startGap(from: now)
        link.responded(at: now, into: &actions)
        let flight = inFlight.remove(at: index)
        flightEnded(flight)
        deviceResponded(to: flight, at: now)
        reportWideValues(in: response, to: flight, into: &actions)
        cacheOrCoalesce(response, to: flight, at: now, into: &actions)
        // Answers to what else it may have asked for come after this one, and are nobody's.
        if flight.request.goesAlone { link.quiet.listens(at: now) }
        if response.isLast {
            loseInFlight(repeatingReads: true, at: now, into: &actions)
            link.respondedLast(id, into: &actions)
        }
        return flight
    }

    private mutating func deviceResponded(to flight: InFlight, at now: Duration) {
        var isTrusted = true
        var last: ClientID?
        // One answer of the device, however often a client asked for it; its requests stand together.
        for index in flight.waiters.indices where flight.waiters[index].client != last {
            let client = flight.waiters[index].client
            last = client
            if !clients.trusts(client) { isTrusted = false }
            clients.deviceResponded(to: client)
        }
        breakers.deviceResponded(to: flight.request.subject, of: flight.waiters, isTrusted: isTrusted, at: now)
    }

    private mutating func reportWideValues(in response: Response, to flight: InFlight, into actions: inout [Action]) {
        guard !hasToldWideValues, let (bytes, expected) = flight.wideValues(in: response) else { return }
        hasToldWideValues = true
        actions.append(.report(.wideValues(bytes: bytes, expected: expected)))
    }

    private mutating func drop(_ response: Response, on id: LinkID, at now: Duration, into actions: inout [Action]) {
        statistics.strays += 1
        link.quiet.startGap(afterStrayAt: now)
        if link.isReady(id), inFlight.contains(where: { $0.isBroadcast(matchedBy: response) }) {
            link.responded(at: now, into: &actions)
            actions.append(.report(.broadcastResponse))
            return
        }
        if isLate(response, on: id, at: now) {
            statistics.late += 1
            // It may be that of a write, which the device did just now.
            writes.advance(nil)
            actions.append(.report(.lateResponse(response)))
            return
        }
        actions.append(.report(.strayResponse(response)))
        if link.isReady(id), isExplained(response, into: &actions) { return }
        straysInARow += 1
        let (times, rest) = straysInARow.quotientAndRemainder(dividingBy: Self.straysOfCompetitor)
        if rest == 0, times.nonzeroBitCount == 1 { actions.append(.report(.competitorSuspected(strays: straysInARow))) }
        // Without ids, whatever comes next could be taken for the answer to the next request.
        if link.isReady(id), !configuration.carriesTransactionIDs {
            failInFlight(.connectionLost, at: now, into: &actions)
            link.replace(id, after: .stray, blaming: .nobody, into: &actions)
        }
    }

    /// Whether a response answers what was given up: by its id, or since the line is listened to for such ones.
    private mutating func isLate(_ response: Response, on id: LinkID, at now: Duration) -> Bool {
        guard !configuration.carriesTransactionIDs else {
            return transactionIDs.isRetired(response.transactionID, at: now)
        }
        return inFlight.isEmpty && link.hears(on: id, at: now)
    }

    /// Whether a response would be an answer if the device repeated ids.
    private mutating func isExplained(_ response: Response, into actions: inout [Action]) -> Bool {
        guard configuration.carriesTransactionIDs else { return false }
        for flight in inFlight where flight.request.expectsResponse && flight.damage(in: response) == nil {
            guard let pattern = mismatches.observe(response, instead: flight.transactionID) else { continue }
            if let pattern { actions.append(.report(.mismatchRecognised(pattern))) }
            return true
        }
        return false
    }
}

// MARK: - Damage and noise

extension Multiplexer {
    mutating func receiveDamaged(
        _ damage: ResponseDamage,
        on id: LinkID,
        at now: Duration,
        into actions: inout [Action]
    ) {
        let index = inFlight.firstIndex { $0.request.expectsResponse && $0.transactionID == damage.transactionID }
        guard link.isReady(id) else { return }
        guard let index else {
            // Nobody's, but what follows it is.
            statistics.damaged += 1
            link.quiet.startGap(afterStrayAt: now)
            _ = link.hears(on: id, at: now)
            actions.append(.report(.responseDamaged(damage, nil)))
            if !damage.isInStep { replace(id, at: now, into: &actions) }
            return
        }
        endDamaged(at: index, damage, on: id, at: now, into: &actions)
    }

    /// Fails the request that a damaged message answered, or asks again.
    private mutating func endDamaged(
        at index: Int,
        _ damage: ResponseDamage,
        on id: LinkID,
        at now: Duration,
        into actions: inout [Action]
    ) {
        statistics.damaged += 1
        damagesInARow += 1
        link.quiet.startGap(from: now)
        link.responded(at: now, into: &actions)
        actions.append(.report(.responseDamaged(damage, inFlight[index].waiter)))
        if case .other(let found, let expected) = damage.cause,
            let pattern = mismatches.observe(found, expected: expected)
        {
            actions.append(.report(.mismatchRecognised(pattern)))
        }
        let flight = inFlight.remove(at: index)
        flightEnded(flight)
        // The right answer may come after the wrong one.
        if configuration.carriesTransactionIDs { transactionIDs.retire(flight.transactionID, at: now) }
        var damaged = [flight]
        // A request that costs the others their connection is not sent again.
        if damage.isInStep, damagesInARow < Self.damagesBeforeGivingUp, flight.isRead, drain == .notRequested {
            putBackWaiters(of: &damaged, at: now, into: &actions)
        }
        for flight in damaged { fail(flight, .connectionLost, into: &actions) }
        if !damage.isInStep { replace(id, at: now, into: &actions) }
    }

    /// Gives up a connection on which messages cannot be told apart any longer.
    private mutating func replace(_ id: LinkID, at now: Duration, into actions: inout [Action]) {
        // Each time one request less is left, so that it does not count.
        loseInFlight(repeatingReads: true, evenRepeated: true, at: now, into: &actions)
        link.replace(id, after: .damage, blaming: .nobody, into: &actions)
    }

    mutating func receiveNoise(_ bytes: Int, on id: LinkID, at now: Duration, into actions: inout [Action]) {
        statistics.noise += bytes
        link.quiet.startGap(afterStrayAt: now)
        _ = link.hears(on: id, at: now)
        actions.append(.report(.noise(bytes: bytes)))
    }
}
