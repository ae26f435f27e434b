extension Multiplexer {
    /// How many requests may share a response; more wait for the next one.
    private static let waitersLimit = 4096

    /// Answers a read with a response that is kept, or lets it wait for one on its way; both only within a maximum age.
    mutating func sharesEarlier(
        _ waiting: Waiting,
        of client: ClientID,
        at now: Duration,
        into actions: inout [Action]
    ) -> Bool {
        // Not before what the client asked earlier.
        guard let cache, let read = waiting.request.read, now < waiting.deadline, !clients.hasInFlight(client) else {
            return false
        }
        let generation = writes[waiting.request.unit]
        if let (slot, age) = cache.find(read, generation: generation, at: now) {
            statistics.responses += 1
            statistics.cached += 1
            statistics.greatestAge = max(statistics.greatestAge, age)
            actions.append(.respondCached(waiting.id, slot: slot, age: age, to: client))
            return true
        }
        guard
            let index = inFlight.firstIndex(where: {
                $0.request.read == read && $0.generation == generation && $0.waiters.count < Self.waitersLimit
            })
        else { return false }
        visit(at: waiting.deadline, into: &actions)
        actions.append(.report(.sharing(waiting.id, with: inFlight[index].waiter)))
        inFlight[index].waiters.append(Waiter(waiting, of: client))
        clients.flightBegan(of: client)
        return true
    }

    /// Lets equal reads that wait have the response, too.
    mutating func shareWithEqual(
        _ flight: inout InFlight,
        _ generation: UInt64,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard configuration.sharesReads, let read = flight.request.read else { return }
        while flight.waiters.count < Self.waitersLimit,
            let dequeued = clients.dequeueEqual(to: read, generation: generation)
        {
            guard let waiter = waiter(dequeued, at: now, into: &actions) else { continue }
            actions.append(.report(.sharing(dequeued.request.id, with: flight.waiter)))
            flight.waiters.append(waiter)
            clients.flightBegan(of: waiter.client)
        }
    }

    /// Whether the next read is held back for others like it.
    mutating func isCoalescing(at now: Duration, into actions: inout [Action]) -> Bool {
        guard let coalescingWindow else { return false }
        if coalescingWindow.covers(clients.next?.request.read, waiting: clients.waitingClients, at: now) {
            visit(at: coalescingWindow.end, into: &actions)
            return true
        }
        self.coalescingWindow = nil
        return false
    }

    mutating func respond(to waiters: Waiters, into actions: inout [Action]) {
        statistics.responses += waiters.count
        statistics.shared += max(waiters.count - 1, 0)
        for index in waiters.indices {
            let waiter = waiters[index]
            clients.flightEnded(of: waiter.client)
            actions.append(.respond(waiter.request, to: waiter.client))
        }
    }

    /// Keeps the response to a read if it still holds; else has others like it wait for each other.
    mutating func cacheOrCoalesce(
        _ response: Response,
        to flight: InFlight,
        at now: Duration,
        into actions: inout [Action]
    ) {
        guard let read = flight.request.read else { return }
        // An answer with more than was asked for may be another's.
        let isExact = response.surplus == 0 && flight.wideValues(in: response) == nil
        if isExact, !response.isFailure, flight.generation == writes[flight.request.unit],
            let slot = cache?.insert(read, generation: flight.generation, at: now)
        {
            actions.append(.cacheResponse(slot: slot))
        } else if flight.waiters.count > 1, configuration.sharesReads {
            coalescingWindow = CoalescingWindow(read, expecting: flight.clients, after: now - flight.sentAt, at: now)
        }
    }
}
