import MultiplexerCore

// MARK: - What holds between events

extension Oracle {
    mutating func end(at now: Duration, _ statistics: Multiplexer.Statistics) throws(Violation) {
        try checkNobodyLeft()
        try expect(step.toRespond.isEmpty, "2: a response did not reach the client that asked")
        try expect(step.toCache == nil, "a response was not kept")
        if let refused = step.refused {
            try expect(requests[refused].state == .ended, "a request waits that is held back")
        }
        if step.isResponseKnown, let arrived = step.arrived {
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
                    flights.contains { $0.waiters.contains(serial) },
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
            && !isCoalescing(at: now)
        for id in present {
            guard let client = clients[id] else { continue }
            let waiting = client.waiting.count - client.returned
            try expect(
                waiting <= max(limit + overrun, client.mostWaiting),
                "5: a client has too many requests waiting",
                id.text
            )
            try expect(client.isPaused || waiting < limit, "5: a client is read though many wait", id.text)
            try expect(!client.isPaused || client.waiting.count > limit / 2, "5: a client stays paused", id.text)
            guard !client.waiting.isEmpty else { continue }
            try expect(backingOffUntil == nil, "a request waits while the next attempt is awaited")
            try expect(drainDeadline == nil, "9: a request waits in a drain")
            try expect(releasedUntil == nil, "a request waits for a device that somebody else has")
            try expect(!isSending, "a request waits while the device is idle")
        }
    }

    private func checkLink(at now: Duration) throws(Violation) {
        try expect(!step.hasFailed || backingOffUntil != nil, "a failed device was not backed off from")
        guard let link else {
            let isQuiet = isResting && !hasWaiting
            try expect(
                !isWanted(at: now) || !hasAskingClients || backingOffUntil != nil || isQuiet || now < connectNotBefore,
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
            for serial in flight.waiters { try check(requests[serial].deadline, "a request in flight expires") }
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
        if let releasedUntil, releasedUntil < .never { try check(releasedUntil, "a release is over") }
        if !isDrained { try check(drainDeadline, "a drain is overdue") }
    }

    private func checkDeadlineWithoutLink(
        at now: Duration,
        _ check: (Duration?, String) throws(Violation) -> Void
    ) throws(Violation) {
        let isQuiet = isResting && !hasWaiting
        guard hasAskingClients, drainDeadline == nil, releasedUntil == nil, backingOffUntil == nil, !isQuiet else {
            return
        }
        try check(connectNotBefore, "the device has settled")
    }

    private func checkDeadline(
        of link: Link,
        at now: Duration,
        _ check: (Duration?, String) throws(Violation) -> Void
    ) throws(Violation) {
        guard !link.isClosing, !link.isDead else { return }
        if !hasAskingClients, flights.isEmpty {
            try check(lingersUntil, "a connection was kept long enough for nobody")
        }
        guard link.connectedAt != nil else {
            return try check(link.connectDeadline, "a connection attempt is overdue")
        }
        guard link.isDelayOver else {
            return try check(link.settlesAt, "a connection has settled")
        }
        if isIdle {
            if let idleClose = configuration.idleClose { try check(use.most + idleClose, "a connection is idle") }
            try check(quietRenewal, "a connection is to be renewed")
        } else if hasWaiting, flights.count < configuration.effectiveInFlightLimit, !isWaitingAlone,
            max(gap.most, listensUntil, now) < lastUseOfLink ?? .never
        {
            let silenceEnd = max(gap.most, listensUntil)
            if isCoalescing(at: now), let coalescingWindow {
                try check(max(silenceEnd, coalescingWindow.end), "a read was held back long enough")
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
        flights.contains { $0.waiters.contains { requests[$0].client == client } }
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
    var isIdle: Bool { link?.isReady == true && flights.isEmpty && !hasWaiting }

    /// Whether all that the connection was asked timed out.
    private var isSilent: Bool { link?.wasAsked == true && link?.hasResponded == false && silences > 0 }

    func isWanted(at now: Duration) -> Bool {
        guard flights.isEmpty else { return true }
        guard drainDeadline == nil, releasedUntil == nil else { return false }
        return hasAskingClients || now < lingersUntil ?? now
    }

    var leastStep: Duration { max(configuration.backoff.initial, .milliseconds(10)) * 4 / 5 }

    var longestStep: Duration { max(configuration.backoff.maximum, .milliseconds(10)) }

    /// What is left of a backoff's step behind an attempt.
    func wait(of backoff: Duration) -> Duration {
        max(backoff - step.attempt, configuration.settleTime, min(.milliseconds(10), backoff))
    }

    /// From when on the connection carries no further request.
    var lastUseOfLink: Duration? {
        guard let age = configuration.connectionLifetime else { return nil }
        return link?.connectedAt.map { $0 + age }
    }

    /// From when on a quiet moment is taken to renew the connection.
    var quietRenewal: Duration? {
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
