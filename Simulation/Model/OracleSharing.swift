import MultiplexerCore

// MARK: - Reads that share an answer

extension Oracle {
    /// A read is answered by what is sent for an equal one.
    mutating func checkSharing(_ id: RequestID, with other: RequestID?, at now: Duration) throws(Violation) {
        guard let serial = serials[id] else { throw Violation("2: an ended request shares an answer") }
        let request = requests[serial]
        let meant = flights.indices.filter { isNamed(other, of: flights[$0].waiters) }
        let equal = meant.filter { requests[flights[$0].serial].read == request.read }
        let led = equal.first { flights[$0].serial == step.leader }
        let joined = equal.first { flights[$0].barrier == barriers[request.unit] }
        guard let index = led ?? joined ?? equal.last ?? meant.last else {
            throw Violation("a read shares the answer of what is not in flight")
        }
        let flight = flights[index]
        try checkMayShare(serial, at: now)
        try expect(request.read == requests[flight.serial].read, "1: a read shares the answer of another")
        try expect(flight.waiters.count < Self.waitersLimit, "5: too many share an answer")
        let isFresh = step.leader == flight.serial && request.barrier == requests[flight.serial].barrier
        if !isFresh {
            try expect(!hasFlights(of: request.client), "a read that joins passed what its client asked before")
            try expect(
                step.leader == flight.serial || configuration.maximumResponseAge != nil,
                "a read joined one in flight"
            )
            try expect(
                configuration.maximumResponseAge != nil && flight.barrier == barriers[request.unit],
                "a read shares an answer across a write"
            )
            try checkNobodyLeft()
            if step.arrived != serial { try checkTurn(of: serial) }
        } else {
            share(serial)
        }
        try checkOwnWrites(of: serial, before: flight.sending)
        clients[request.client]?.waiting.removeFirst()
        requests[serial].state = .sent
        requests[serial].isServedByEarlier = !isFresh
        flights[index].waiters.append(serial)
    }

    /// How many requests share a response at most.
    static let waitersLimit = 4096

    private func checkMayShare(_ serial: Int, at now: Duration) throws(Violation) {
        let request = requests[serial]
        try expect(request.state == .waiting, "4: a request that was sent shares an answer")
        try expect(clients[request.client]?.isHere == true, "4: a read shares an answer whose client has left")
        try expect(now < request.deadline, "4: a read shares an answer whose deadline has passed")
        try expect(configuration.sharesReads && request.read != nil, "a request shares an answer that may not")
        try expect(clients[request.client]?.waiting.first == serial, "a client's requests were not sent in their order")
    }

    /// What changes the unit on behalf of a client is asked for before all that it asks later.
    private func checkOwnWrites(of serial: Int, before sending: Int) throws(Violation) {
        let request = requests[serial]
        try expect(
            clients[request.client]?.writes[request.unit] ?? 0 < sending,
            "a client got a value from before its own write"
        )
    }

    /// It costs the device nothing, so that nobody can complain who waits longer; the next turn is behind theirs.
    private mutating func share(_ serial: Int) {
        let client = requests[serial].client
        if isReturned(serial) { firstTurns.removeAll { $0.client == client } }
        turn += 1
        clients[client]?.lastServed = turn
        if isReturned(serial) { clients[client]?.returned -= 1 } else { clients[client]?.lastSent[false] = turn }
    }

    /// All that are equal and next have shared with the read that was sent last.
    mutating func checkNobodyLeft() throws(Violation) {
        guard let leader = step.leader else { return }
        step.leader = nil
        guard flights.last?.waiters.count ?? 0 < Self.waitersLimit else { return }
        for id in present {
            guard let next = clients[id]?.waiting.first else { continue }
            try expect(!isEqual(next, to: leader), "an equal read was left waiting", id.text)
        }
    }

    /// Whether two reads share an answer if both wait.
    func isEqual(_ serial: Int, to leader: Int) -> Bool {
        requests[serial].read != nil && requests[serial].read == requests[leader].read
            && requests[serial].barrier == requests[leader].barrier
    }

    /// Whether an answer to a read is kept or on its way that came, or comes, soon enough.
    func isResponseKnown(to serial: Int, at now: Duration) -> Bool {
        let request = requests[serial]
        guard configuration.sharesReads, let read = request.read, now < request.deadline,
            let age = configuration.maximumResponseAge
        else {
            return false
        }
        let barrier = barriers[request.unit]
        return cached.values.contains { $0.read == read && $0.barrier == barrier && now - $0.time <= age }
            || flights.contains { flight in
                requests[flight.serial].read == read && flight.barrier == barrier
                    && flight.waiters.count < Self.waitersLimit
            }
    }

    /// Whether waiting reads are held back for others like them.
    func isCoalescing(at now: Duration) -> Bool {
        guard let coalescingWindow else { return false }
        let next = present.compactMap { clients[$0]?.waiting.first }
        return now < coalescingWindow.end && next.count < coalescingWindow.clients
            && next.contains { requests[$0].read == coalescingWindow.read }
    }
}

// MARK: - Answers

extension Oracle {
    /// The answer shows no less than it must.
    func checkValue(_ value: Int?, for serial: Int) throws(Violation) {
        let request = requests[serial]
        guard request.isRead, let value else { return }
        try expect(value >= request.endedWrites, "a client got a value older than a write that had ended")
        try expect(
            value >= request.contents || request.isServedByEarlier,
            "a client got a value from before it asked"
        )
    }

    mutating func checkCacheResponse(_ slot: Int) throws(Violation) {
        guard let response = step.toCache else { throw Violation("a response was kept that may not be") }
        try expect((0..<256).contains(slot) && slot <= cached.count, "a response was kept in a slot that is none")
        step.toCache = nil
        cached[slot] = response
    }

    mutating func checkRespondCached(
        _ id: RequestID,
        _ slot: Int,
        _ age: Duration,
        to client: ClientID,
        at now: Duration
    ) throws(Violation) {
        let serial = try checkEnd(of: id, to: client)
        try checkMayShare(serial, at: now)
        guard let maximum = configuration.maximumResponseAge, let response = cached[slot] else {
            throw Violation("a response was given that is not kept")
        }
        let request = requests[serial]
        try expect(response.read == request.read, "1: a client got the response of another request")
        try expect(age == now - response.time, "the age of a response is wrong", age.text)
        try expect(age <= maximum, "a response was given that is too old", age.text)
        try expect(response.barrier == barriers[response.unit], "a response was given across a write")
        try expect(!hasFlights(of: client), "a response that is kept passed what its client asked before")
        try checkOwnWrites(of: serial, before: response.sending)
        requests[serial].isServedByEarlier = true
        try checkValue(response.value, for: serial)
        if step.arrived != serial { try checkTurn(of: serial) }
        requests[serial].state = .sent
        counted.responses += 1
        counted.cached += 1
        counted.greatestAge = max(counted.greatestAge, age)
        end(id, serial)
    }
}
