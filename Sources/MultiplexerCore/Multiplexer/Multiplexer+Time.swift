extension Multiplexer {
    mutating func visit(at deadline: Duration, into actions: inout [Action]) {
        if let nextVisit, nextVisit <= deadline { return }
        nextVisit = deadline
        actions.append(.setDeadline(deadline))
    }

    mutating func expire(at now: Duration, into actions: inout [Action]) {
        if link.expire(at: now, into: &actions) { failWaiting(.unreachable, into: &actions) }
        expireInFlight(at: now, into: &actions)
        expireWaiting(at: now, into: &actions)
        if let releasedUntil, releasedUntil <= now { resume(into: &actions) }
        if let deadline = drain.deadline, deadline <= now {
            let unanswered = inFlight.reduce(0) { $0 + $1.waiters.count }
            if unanswered > 0 { actions.append(.report(.drainOverdue(unanswered: unanswered))) }
            // The device may have done what it was asked.
            failInFlight(.connectionLost, at: now, into: &actions)
            drain = .overdue
        }
    }

    /// The device is ours again.
    mutating func resume(into actions: inout [Action]) {
        guard releasedUntil != nil else { return }
        releasedUntil = nil
        actions.append(.report(.resumed))
    }

    private mutating func expireInFlight(at now: Duration, into actions: inout [Action]) {
        var index = 0
        var timedOut = false
        var isGone = false
        let blame = blame
        while index < inFlight.count {
            if inFlight[index].deviceDeadline <= now {
                let silent = inFlight.remove(at: index)
                retire(silent, at: now)
                link.quiet.startGap(from: now)
                if silent.request.expectsResponse {
                    timedOut = true
                    isGone = link.fellSilent(at: now)
                    breakers.deviceTimedOut(on: silent.request.subject)
                    let report = Report.responseTimedOut(silent.waiter, transactionID: silent.transactionID)
                    actions.append(.report(report))
                }
                fail(silent, .unanswered, into: &actions)
                continue
            }
            // The client's time is up, the device's is not: its response is swallowed, the connection kept.
            for waiter in inFlight[index].waiters.remove(where: { $0.deadline <= now }) {
                clients.flightEnded(of: waiter.client)
                fail(waiter.request, inFlight[index].request, .expired, to: waiter.client, into: &actions)
            }
            index += 1
        }
        guard timedOut, link.isReady, let id = link.id else { return }
        if !configuration.carriesTransactionIDs || isGone {
            failInFlight(.unanswered, at: now, into: &actions)
            link.replace(id, after: .silence, blaming: blame, into: &actions)
        }
    }

    private mutating func expireWaiting(at now: Duration, into actions: inout [Action]) {
        let failure = link.isReady ? Failure.expired : .unreachable
        for dequeued in clients.dequeueExpired(at: now) {
            fail(dequeued.request, failure, to: dequeued.client, into: &actions)
            if dequeued.resumes { actions.append(.resumeReading(dequeued.client)) }
        }
    }

    mutating func visitAtEarliestDeadline(into actions: inout [Action]) {
        var earliest: Duration?
        func consider(_ deadline: Duration?) {
            guard let deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        for request in inFlight {
            consider(request.deviceDeadline)
            for waiter in request.waiters { consider(waiter.deadline) }
        }
        consider(clients.earliestDeadline)
        consider(drain.deadline)
        consider(releasedUntil.flatMap { $0 < .never ? $0 : nil })
        if let earliest { visit(at: earliest, into: &actions) }
    }

    mutating func finishDrain(into actions: inout [Action]) {
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

    mutating func close(_ client: ClientID, into actions: inout [Action]) {
        if clients.closes(client) { actions.append(.closeClient(client)) }
    }
}
