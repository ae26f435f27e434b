import MultiplexerCore

// What the device's messages mean for the books.
extension Oracle {
    mutating func received(_ response: Response, on id: LinkID, at now: Duration) {
        guard !response.isUnsolicited else {
            startGapAfterStray(at: now)
            counted.strays += 1
            step.due.append(.unsolicited)
            return
        }
        guard let link, link.id == id, link.isReady else {
            startGapAfterStray(at: now)
            // Whether a message of an old connection is late or a stray makes no difference to anybody.
            return stray(retired.contains(response.transactionID) ? .strayOrLate : .stray)
        }
        guard let index = flights.firstIndex(where: { matches(response, $0) }) else {
            startGapAfterStray(at: now)
            if flights.contains(where: { !$0.expectsResponse && $0.matches(response) }) {
                counted.strays += 1
                responded(at: now)
                use.most = max(use.most, now)
                step.due.append(.broadcastResponse)
            } else if configuration.carriesTransactionIDs {
                let isLate = retired.contains(response.transactionID)
                stray(isLate ? .late : .stray)
                if !isLate { step.isExplained = explain(response) }
            } else if flights.isEmpty, hears(on: id, at: now) {
                stray(.late)
            } else {
                self.link?.isTainted = true
                self.link?.blame = .nobody
                stray(.stray)
            }
            return
        }
        let isSurplus = response.surplus > 0 && flights.count > 1
        guard fits(response, flights[index]), !isSurplus else {
            countOtherUnit(response.correlation, flights[index].correlation)
            return endDamaged(at: index, isInStep: fits(response, flights[index]) ? !isSurplus : true, at: now)
        }
        let flight = flights.remove(at: index)
        gap.push(to: now + configuration.minimumGap)
        responded(at: now)
        strays = 0
        damages = 0
        use.push(to: now)
        flightEnded(flight)
        let isTrusted = flight.waiters.allSatisfy { clients[requests[$0].client]?.distrust == 0 }
        let waiters = flight.waiters.map { requests[$0].client }
        experience.deviceResponded(requests[flight.serial].subject, to: waiters, isTrusted: isTrusted, at: now)
        for client in Set(waiters) {
            clients[client]?.gotResponse = true
            let distrust = clients[client]?.distrust ?? 0
            clients[client]?.distrust = max(distrust - 1, 0)
        }
        if !isExact(response, flight), response.surplus == 0, !hasToldWide {
            hasToldWide = true
            step.due.append(.wide)
        }
        respond(to: flight, response, at: now)
        if requests[flight.serial].goesAlone {
            listen(for: min(configuration.effectiveQuietTime, .milliseconds(100)), at: now)
        }
        if response.isLast {
            self.link?.isSpent = true
            endFlights(repeatingReads: true, at: now)
        }
    }

    mutating func respond(to flight: Flight, _ response: Response, at now: Duration) {
        step.matched = flight
        step.toRespond = flight.waiters
        step.fits = fits(response, flight)
        counted.shared += max(flight.waiters.count - 1, 0)
        let request = requests[flight.serial]
        guard configuration.sharesReads, let read = request.read else { return }
        if configuration.maximumResponseAge != nil, !response.isFailure, isExact(response, flight),
            flight.barrier == barriers[request.unit]
        {
            step.toCache = Cached(
                read: read,
                unit: request.unit,
                barrier: flight.barrier,
                sending: flight.sending,
                value: step.value,
                time: now
            )
        } else if flight.waiters.count > 1 {
            coalescingWindow = CoalescingWindow(
                read: read,
                // Who joins what is in flight may be counted twice.
                clients: configuration.maximumResponseAge == nil
                    ? Set(flight.waiters.map { requests[$0].client }).count : flight.waiters.count,
                end: now + min((now - flight.sentAt) / 4, .milliseconds(5))
            )
        }
    }

    /// A response came to what had been given up: whatever it was, the device has just done it.
    mutating func seeLateResponse() {
        raiseBarrier(nil)
        guard let meant = step.meant else { return }
        for number in 0...requests[meant].sendings { seeWriteEnded(Sending(serial: meant, number: number)) }
    }

    /// What answers nothing puts the next request off, but not for ever.
    mutating func startGapAfterStray(at now: Duration) {
        guard now >= gap.least else { return }
        if now >= gap.most { gap.least = now + configuration.minimumGap }
        gap.most = now + configuration.minimumGap
    }

    mutating func stray(_ due: Due) {
        counted.strays += 1
        step.due.append(due)
    }

    mutating func damaged(_ damage: ResponseDamage, on id: LinkID, at now: Duration) {
        guard let link, link.id == id, link.isReady else { return }
        let index = flights.firstIndex { $0.expectsResponse && $0.transactionID == damage.transactionID }
        guard let index else {
            counted.damaged += 1
            startGapAfterStray(at: now)
            _ = hears(on: id, at: now)
            step.due.append(.damaged([]))
            if !damage.isInStep { loseStep(at: now) }
            return
        }
        endDamaged(at: index, isInStep: damage.isInStep, at: now)
    }

    /// The answer came, and cannot be given: a read is asked once more, unless that is in vain.
    mutating func endDamaged(at index: Int, isInStep: Bool, at now: Duration) {
        counted.damaged += 1
        damages += 1
        gap.push(to: now + configuration.minimumGap)
        responded(at: now)
        use.push(to: now)
        step.due.append(.damaged(flights[index].waiters))
        let flight = flights.remove(at: index)
        flightEnded(flight)
        if configuration.carriesTransactionIDs { retired.insert(flight.transactionID) }
        let request = requests[flight.serial]
        if isInStep, damages < 3, request.isRead, request.expectsResponse, drainDeadline == nil {
            putBack(flight.waiters.filter { now < requests[$0].deadline && !requests[$0].wasReturned })
            for serial in step.returned where flight.waiters.contains(serial) {
                requests[serial].mayHaveLeft = requests[serial].mayHaveLeft || !flight.isUnsent
            }
        }
        if !isInStep { loseStep(at: now) }
    }

    /// What follows cannot be told apart.
    mutating func loseStep(at now: Duration) {
        link?.isTainted = true
        link?.blame = .nobody
        endFlights(repeatingReads: true, evenReturned: true, at: now)
    }

    mutating func responded(at now: Duration) {
        link?.hasResponded = true
        silences = 0
        failures = 0
        hasForgiven = false
        forgetOldConnection()
    }
}
