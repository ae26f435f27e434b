import MultiplexerCore

/// A promise that was broken.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Watches what a core is told and what it does, and says when a promise is broken.
///
/// It keeps its own books from events and actions alone and knows nothing of the core's state. Around each event:
/// ``begin(_:at:answering:)``, ``check(_:at:)`` for each action in order, ``end(at:_:)``; at last ``finish(_:)``. The
/// numbers in its words are those of the promises.
struct Oracle {
    private let configuration: Multiplexer.Configuration
    private let overrun: Int

    private var clients: [ClientID: Client] = [:]
    /// Who is here, in the order of coming.
    private var present: [ClientID] = []
    private var requests: [Request] = []
    /// The request that each id in use stands for.
    private var serials: [RequestID: Int] = [:]
    private var flights: [Flight] = []
    /// Ids of requests that were not answered, whose late responses may still come.
    private var retired: Set<UInt16> = []
    private var link: Link?
    /// The device closed a connection that nothing was asked on.
    private var isResting = false
    private var lastLink: UInt64 = 0
    private var silences = 0
    /// No connection may be asked for earlier.
    private var connectNotBefore: Duration?
    private var backingOffUntil: Duration?
    /// The deadline that the core asked for.
    private var asked: Duration?
    private var drainDeadline: Duration?
    private var isDrained = false
    private var turn = 0
    /// What the core should have counted.
    private var counted = Multiplexer.Statistics()

    private var step = Step()

    init(_ configuration: Multiplexer.Configuration, overrun: Int = 0) {
        self.configuration = configuration
        self.overrun = overrun
    }

    /// Whether the device owes a response.
    var isAwaitingResponse: Bool { !flights.isEmpty }

    private struct Client {
        var waiting: [Int] = []
        var isHere = true
        var isPaused = false
        var isClosed = false
        /// Turns are counted through all clients.
        var lastSent: Int?
        var lastServed = 0
        var waitingSince = 0
    }

    private struct Request {
        enum State { case waiting, sent, ended }
        let client: ClientID
        let correlation: Correlation
        let expectsResponse: Bool
        let deadline: Duration
        var state = State.waiting
    }

    private struct Flight {
        let serial: Int
        let transactionID: UInt16
        let correlation: Correlation
        let expectsResponse: Bool
        let deviceDeadline: Duration
    }

    private struct Link {
        let id: LinkID
        let connectDeadline: Duration
        var connectedAt: Duration?
        var isSettled = false
        var wasAsked = false
        var hasAnswered = false
        /// A message on it could be taken for another's answer.
        var isTainted = false
        /// The device said that it takes no further request.
        var isSpent = false
        var isOverdue = false
        /// It was to be closed because it failed.
        var hasFailed = false
        var isClosing = false

        var isReady: Bool { isSettled && !isClosing }
    }

    /// What one event brought.
    private struct Step {
        var isVisit = false
        /// The request that must be answered now.
        var answered: Int?
        /// The request that the device meant.
        var meant: Int?
        /// Requests that the device did not answer, and broadcasts that are over.
        var ended: [Int] = []
        var left: ClientID?
        /// Whether a connection ended on which nothing was answered.
        var hasFailed = false
        var isDrainOverdue = false
    }
}

// MARK: - Events

extension Oracle {
    mutating func begin(_ event: Multiplexer.Event, at now: Duration, answering serial: Int? = nil) {
        step = Step()
        step.meant = serial
        switch event {
        case .clientJoined(let client):
            clients[client] = Client()
            present.append(client)
        case .clientLeft(let client):
            clients[client]?.isHere = false
            present.removeAll { $0 == client }
            if present.isEmpty { isResting = false }
            step.left = client
        case .requestReceived(let id, let request, let client):
            counted.requests += 1
            serials[id] = requests.count
            requests.append(
                Request(
                    client: client,
                    correlation: request.correlation,
                    expectsResponse: request.expectsResponse,
                    deadline: now + configuration.queueTimeout
                )
            )
            if clients[client]?.waiting.isEmpty == true { clients[client]?.waitingSince = turn }
            clients[client]?.waiting.append(requests.count - 1)
        case .upstreamConnected(let id):
            guard link?.id == id, link?.connectedAt == nil, link?.isClosing == false else { return }
            link?.connectedAt = now
            link?.isSettled = configuration.delayAfterConnect == .zero
        case .upstreamClosed(let id, _):
            closed(id, at: now)
        case .requestUnsent:
            break
        case .responseReceived(let response, let id):
            received(response, on: id)
        case .responseDamaged(let id):
            guard link?.id == id, link?.isReady == true, !flights.isEmpty, !configuration.carriesTransactionIDs else {
                return
            }
            link?.hasAnswered = true
            silences = 0
            land()
        case .deadlineReached:
            visit(at: now)
        case .drainRequested:
            if drainDeadline == nil { drainDeadline = now + configuration.drainTimeout }
        }
    }

    private mutating func closed(_ id: LinkID, at now: Duration) {
        guard let ended = link, ended.id == id else { return }
        link = nil
        land()
        isResting = ended.isReady && !ended.wasAsked
        if ended.isClosing ? ended.hasFailed : !ended.hasAnswered && !isResting {
            step.hasFailed = true
            connectNotBefore = now + leastWait
        }
    }

    private mutating func received(_ response: Response, on id: LinkID) {
        guard !response.isUnsolicited, let link, link.id == id, link.isReady else {
            counted.strays += 1
            return
        }
        let index = flights.firstIndex {
            $0.expectsResponse && $0.transactionID == response.transactionID && $0.correlation == response.correlation
        }
        guard let index else {
            counted.strays += 1
            let answersBroadcast = flights.contains {
                !$0.expectsResponse && $0.transactionID == response.transactionID
                    && $0.correlation == response.correlation
            }
            guard !answersBroadcast else {
                self.link?.hasAnswered = true
                silences = 0
                return
            }
            if !configuration.carriesTransactionIDs { self.link?.isTainted = true }
            return
        }
        let flight = flights.remove(at: index)
        self.link?.hasAnswered = true
        silences = 0
        if requests[flight.serial].state == .sent { step.answered = flight.serial }
        if response.isLast {
            self.link?.isSpent = true
            land()
        }
    }

    private mutating func visit(at now: Duration) {
        step.isVisit = true
        asked = nil
        if let until = backingOffUntil, until <= now { backingOffUntil = nil }
        if let link, !link.isClosing {
            if let connectedAt = link.connectedAt {
                if connectedAt + configuration.delayAfterConnect <= now { self.link?.isSettled = true }
            } else if link.connectDeadline <= now {
                self.link?.isOverdue = true
            }
        }
        for index in flights.indices.reversed() where flights[index].deviceDeadline <= now {
            let flight = flights.remove(at: index)
            retired.insert(flight.transactionID)
            guard flight.expectsResponse else { continue }
            silences += 1
            if !configuration.carriesTransactionIDs { link?.isTainted = true }
        }
        if let drainDeadline, drainDeadline <= now, !isDrained {
            step.isDrainOverdue = true
            land()
        }
    }

    /// Whatever is in flight will not be answered.
    private mutating func land() {
        for flight in flights { retired.insert(flight.transactionID) }
        flights.removeAll()
    }
}

// MARK: - Actions

extension Oracle {
    mutating func check(_ action: Multiplexer.Action, at now: Duration) throws(Violation) {
        switch action {
        case .connect(let id): try checkConnect(id, at: now)
        case .disconnect(let id): try checkDisconnect(id)
        case .send(let id, let transactionID): try checkSend(id, as: transactionID, at: now)
        case .respond(let id, let client):
            let serial = try checkEnd(of: id, to: client)
            try expect(requests[serial].state == .sent, "1: a request was answered that was not sent")
            try expect(step.answered == serial, "1: a client got a response that does not answer its request")
            try expect(step.meant == serial, "1: a client got the response of another request")
            counted.responses += 1
            step.answered = nil
            end(id, serial)
        case .fail(let id, let failure, let client):
            try checkFail(id, failure, to: client, at: now)
        case .complete(let id, let client):
            let serial = try checkEnd(of: id, to: client)
            try expect(!requests[serial].expectsResponse, "2: a request ended without the response that it expects")
            let isOverdue = requests[serial].deadline <= now
            try expect(
                requests[serial].state == .sent || isOverdue || link?.isReady != true || drainDeadline != nil,
                "a broadcast was given up that could be sent"
            )
            counted.broadcasts += 1
            clients[client]?.lastServed = turn
            if !isOverdue { step.ended.append(serial) }
            end(id, serial)
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
        case .report(.backingOff(_, let delay)):
            try expect(leastWait <= delay && delay <= longestWait, "a wait of \(delay) is out of range")
            try expect(step.hasFailed, "a device that answers was backed off from")
            try expect(link == nil, "3: another attempt is awaited while a connection is left")
            backingOffUntil = now + delay
        case .report:
            break
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

    private mutating func checkConnect(_ id: LinkID, at now: Duration) throws(Violation) {
        try expect(link == nil, "3: a second connection was opened")
        try expect(id.rawValue > lastLink, "a connection has the number of an older one")
        try expect(drainDeadline == nil, "9: a connection was opened in a drain")
        try expect(!present.isEmpty, "a connection was opened for nobody")
        try expect(
            backingOffUntil == nil && now >= connectNotBefore ?? now,
            "a failed device was asked again too early"
        )
        lastLink = id.rawValue
        connectNotBefore = nil
        isResting = false
        silences = 0
        counted.connects += 1
        link = Link(id: id, connectDeadline: now + configuration.connectTimeout)
    }

    private mutating func checkDisconnect(_ id: LinkID) throws(Violation) {
        guard let link, link.id == id else { throw Violation("a connection was closed that is none") }
        try expect(!link.isClosing, "a connection was closed twice")
        if link.isOverdue {
            self.link?.hasFailed = true
        } else if link.isSpent {
            self.link?.hasFailed = false
        } else if link.isTainted || silences >= 2 {
            self.link?.hasFailed = !link.hasAnswered
        } else {
            try expect(!isWanted, "a connection that is wanted and works was closed")
        }
        self.link?.isClosing = true
        land()
    }

    private var isWanted: Bool { !flights.isEmpty || (!present.isEmpty && drainDeadline == nil) }

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
        try expect(link?.isReady == true, "a request was sent without a connection that is ready")
        try expect(link?.isTainted == false, "1: a request was sent where a late response could answer it")
        try expect(
            flights.count < configuration.effectiveInFlightLimit,
            "more requests are in flight than the device takes"
        )
        if configuration.carriesTransactionIDs {
            try expect(!flights.contains { $0.transactionID == transactionID }, "1: an id is in flight twice")
            try expect(!retired.contains(transactionID), "1: an id was used whose late response may come")
        }
        try expect(clients[request.client]?.waiting.first == serial, "a client's requests were not sent in their order")
        try checkTurn(of: request.client)
        clients[request.client]?.waiting.removeFirst()
        requests[serial].state = .sent
        counted.sent += 1
        if request.expectsResponse { link?.wasAsked = true }
        flights.append(
            Flight(
                serial: serial,
                transactionID: transactionID,
                correlation: request.correlation,
                expectsResponse: request.expectsResponse,
                deviceDeadline: now
                    + (request.expectsResponse ? configuration.responseTimeout : configuration.broadcastDelay)
            )
        )
    }

    /// Between two turns of one client, every other that waited all the time has one.
    private mutating func checkTurn(of client: ClientID) throws(Violation) {
        turn += 1
        if let last = clients[client]?.lastSent {
            for other in present where other != client {
                guard let waiting = clients[other], !waiting.waiting.isEmpty else { continue }
                try expect(
                    waiting.waitingSince >= last || waiting.lastServed >= last,
                    "5: \(client.text) had two turns while \(other.text) waited"
                )
            }
        }
        clients[client]?.lastSent = turn
        clients[client]?.lastServed = turn
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
            try expect(request.state == .waiting && link?.isReady != true, "a reachable device was called unreachable")
            counted.unreachable += 1
        case .unanswered, .connectionLost:
            try expect(request.state == .sent, "a request was called unanswered that was not sent")
            step.ended.append(serial)
            counted.unanswered += 1
        case .expired:
            try expect(request.deadline <= now, "a request expired before its deadline")
            counted.expired += 1
        case .draining:
            try expect(drainDeadline != nil, "a drain ended a request and was none")
            try expect(request.state == .waiting || step.isDrainOverdue, "9: a drain cut off a request in flight")
            counted.drained += 1
        }
        clients[client]?.lastServed = turn
        end(id, serial)
    }

    private func checkEnd(of id: RequestID, to client: ClientID) throws(Violation) -> Int {
        guard let serial = serials[id] else { throw Violation("2: a request ended twice") }
        try expect(requests[serial].client == client, "1: a client got what another asked for")
        try expect(clients[client]?.isHere == true, "2: a client got something after it left")
        return serial
    }

    private mutating func end(_ id: RequestID, _ serial: Int) {
        serials[id] = nil
        requests[serial].state = .ended
        clients[requests[serial].client]?.waiting.removeAll { $0 == serial }
    }

    private var leastWait: Duration { max(configuration.backoff.initial, .milliseconds(10)) * 4 / 5 }

    private var longestWait: Duration { max(configuration.backoff.maximum, .milliseconds(10)) }

    private func expect(_ condition: Bool, _ violation: @autoclosure () -> String) throws(Violation) {
        guard condition else { throw Violation(violation()) }
    }
}

// MARK: - What holds between events

extension Oracle {
    mutating func end(at now: Duration, _ statistics: Multiplexer.Statistics) throws(Violation) {
        try expect(step.answered == nil, "2: a response did not reach the client that asked")
        for serial in step.ended {
            try expect(!flights.contains { $0.serial == serial }, "a request was given up before its time")
        }
        try checkRequests(at: now)
        try checkClients()
        try checkLink()
        try checkDrain()
        try checkDeadline()
        try expect(statistics == counted, "statistics say \(statistics), it was \(counted)")
    }

    private func checkRequests(at now: Duration) throws(Violation) {
        for serial in serials.values {
            let request = requests[serial]
            if request.state == .sent {
                try expect(
                    flights.contains { $0.serial == serial },
                    "2: a request that will not be answered did not end"
                )
            }
            if step.isVisit { try expect(now < request.deadline, "2: a request did not end at its deadline") }
            try expect(step.left != request.client, "2: a request did not end with its client")
        }
    }

    private func checkClients() throws(Violation) {
        for id in present {
            guard let client = clients[id] else { continue }
            let waiting = client.waiting.count
            try expect(waiting <= configuration.waitingLimit + overrun, "5: \(waiting) requests of \(id.text) wait")
            try expect(
                client.isPaused || waiting < configuration.waitingLimit,
                "5: \(id.text) is read though many wait"
            )
            try expect(!client.isPaused || waiting > configuration.waitingLimit / 2, "5: \(id.text) stays paused")
            guard waiting > 0 else { continue }
            try expect(backingOffUntil == nil, "a request waits while the next attempt is awaited")
            try expect(drainDeadline == nil, "9: a request waits in a drain")
            try expect(
                link?.isReady != true || flights.count == configuration.effectiveInFlightLimit,
                "a request waits while the device is idle"
            )
        }
    }

    private func checkLink() throws(Violation) {
        guard let link else {
            let isQuiet = isResting && present.allSatisfy { clients[$0]?.waiting.isEmpty != false }
            try expect(!isWanted || backingOffUntil != nil || isQuiet, "nobody connects though clients are here")
            return
        }
        guard !link.isClosing else { return }
        try expect(isWanted, "a connection is kept for nobody")
        try expect(!link.isOverdue, "a connection attempt goes on after its time")
        try expect(!link.isSpent, "a connection is kept that takes no further request")
        try expect(!link.isTainted, "1: a connection is kept on which a late response may come")
    }

    private func checkDrain() throws(Violation) {
        guard drainDeadline != nil else { return }
        try expect(!step.isDrainOverdue || isDrained, "9: a drain goes on after its time")
        guard flights.isEmpty else { return }
        for id in present { try expect(clients[id]?.isClosed == true, "9: a client was not closed") }
        try expect(isDrained || !present.isEmpty || link != nil, "9: a drain that has nothing left goes on")
    }

    /// The next visit is asked for no later than anything is due.
    private func checkDeadline() throws(Violation) {
        func check(_ due: Duration?, _ what: String) throws(Violation) {
            guard let due else { return }
            guard let asked, asked <= due else { throw Violation("no visit is asked for when \(what) at \(due.text)") }
        }
        for id in present {
            if let first = clients[id]?.waiting.first { try check(requests[first].deadline, "a request expires") }
        }
        for flight in flights {
            try check(flight.deviceDeadline, "a response is overdue")
            if requests[flight.serial].state == .sent {
                try check(requests[flight.serial].deadline, "a request in flight expires")
            }
        }
        if let link, !link.isClosing, !link.isSettled {
            if let connectedAt = link.connectedAt {
                try check(connectedAt + configuration.delayAfterConnect, "a connection has settled")
            } else {
                try check(link.connectDeadline, "a connection attempt is overdue")
            }
        }
        try check(backingOffUntil, "the next attempt is due")
        if !isDrained { try check(drainDeadline, "a drain is overdue") }
    }

    /// Everything is quiet: nothing may be left.
    func finish(_ statistics: Multiplexer.Statistics) throws(Violation) {
        try expect(serials.isEmpty, "2: \(serials.count) requests never ended")
        try expect(statistics.requests == statistics.ended, "requests and ends differ in the statistics")
        try expect(flights.isEmpty, "something is in flight for ever")
        try expect(present.isEmpty, "a client stays for ever")
        try expect(link == nil, "a connection stays for ever")
        try expect(asked == nil, "a deadline was asked for and not delivered")
        try expect(drainDeadline == nil || isDrained, "9: a drain never ended")
    }
}
