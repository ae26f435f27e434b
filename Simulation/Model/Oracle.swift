import MultiplexerCore

/// A promise that was broken.
struct Violation: Error, CustomStringConvertible {
    /// Which one: the same words whatever was asked and whoever asked it.
    let promise: String
    /// Which values broke it.
    let detail: String

    init(_ promise: String, _ detail: String = "") {
        self.promise = promise
        self.detail = detail
    }

    var description: String { detail.isEmpty ? promise : "\(promise) (\(detail))" }
}

/// Watches what a core is told and what it does, and says when a promise is broken.
///
/// It keeps its own books from events and actions alone and knows nothing of the core's state. Around each event:
/// ``begin(_:at:answering:)``, ``check(_:at:)`` for each action in order, ``end(at:_:)``; at last ``finish(_:)``. The
/// numbers in its words are those of the promises. It looks both ways: what must not happen, and what must.
///
/// Here it keeps its books on what the core is told; `OracleChecks.swift` holds what the core does against them.
struct Oracle {
    let configuration: Multiplexer.Configuration
    /// How many requests a client may bring after it was paused.
    let overrun: Int

    var clients: [ClientID: Client] = [:]
    /// Who is here, in the order of coming.
    var present: [ClientID] = []
    /// Until when the connection is kept for nobody.
    var lingersUntil: Duration?
    var requests: [Request] = []
    /// The request that each id in use stands for.
    var serials: [RequestID: Int] = [:]
    var flights: [Flight] = []
    /// Ids of requests that were not answered, whose late responses may still come.
    var retired: Set<UInt16> = []
    /// Whose requests go before all others, since they were sent before: in the order in which they were.
    var firstTurns: [FirstTurn] = []
    var turn = 0

    var link: Link?
    var lastLink: UInt64 = 0
    /// The last connection was idle: the next one is opened for a request.
    var isResting = false
    /// Requests in a row on this connection that the device let time out.
    var silences = 0
    /// Connections in a row that failed, without an answer since.
    var failures = 0
    /// Connections in a row that the device closed during the delay after connecting.
    var earlyEnds = 0
    /// Since the device's last answer, a connection that it did not answer was forgiven: its requests are sent again.
    var hasForgiven = false
    /// Messages in a row that answer nothing and are not late.
    var strays = 0
    var backingOffUntil: Duration?
    /// No connection may be asked for earlier.
    var connectNotBefore = Duration.zero
    var gap = Bound()
    /// When the connection was last of use.
    var use = Bound()

    /// The deadline that the core asked for.
    var asked: Duration?
    var drainDeadline: Duration?
    var isDrained = false
    /// What the core should have counted.
    var counted = Multiplexer.Statistics()
    var step = Step()

    init(_ configuration: Multiplexer.Configuration, overrun: Int = 0) {
        self.configuration = configuration
        self.overrun = overrun
    }

    /// Whether nobody could tell a message from the answer that is awaited, which it is not.
    ///
    /// The wire has no ids then: that a device says such a thing is beyond what can be promised.
    func isMistakable(_ response: Response, on id: LinkID, answering serial: Int?) -> Bool {
        guard !configuration.carriesTransactionIDs, !response.isUnsolicited, id == link?.id, let flight = flights.first
        else { return false }
        return flight.expectsResponse && flight.serial != serial && flight.correlation == response.correlation
    }

    /// Whether something else than this request is in flight on a connection.
    func isBusy(_ id: LinkID, with serial: Int) -> Bool { id == link?.id && flights.contains { $0.serial != serial } }

    struct Client {
        /// In the order of their coming.
        var waiting: [Int] = []
        /// How many of them were sent before: nobody could have held them back.
        var returned = 0
        var isHere = true
        var isPaused = false
        var isClosed = false
        /// Turns are counted through all clients.
        var lastSent: Int?
        var lastServed = 0
        var waitingSince = 0
    }

    struct Request {
        enum State { case waiting, sent, ended }
        let client: ClientID
        let correlation: Correlation
        let isRead: Bool
        let expectsResponse: Bool
        let deadline: Duration
        var state = State.waiting
        /// It was sent before and waits once more, or did.
        var wasReturned = false
    }

    struct FirstTurn {
        let client: ClientID
        /// What it was for has ended: others may come before, and another request of the client in its place.
        var isLoose = false
    }

    struct Flight {
        let serial: Int
        let id: RequestID
        let transactionID: UInt16
        let correlation: Correlation
        let expectsResponse: Bool
        let deviceDeadline: Duration
        var isUnsent = false

        func matches(_ response: Response) -> Bool {
            transactionID == response.transactionID && correlation == response.correlation
        }
    }

    struct Link {
        let id: LinkID
        let connectDeadline: Duration
        var connectedAt: Duration?
        var isSettled = false
        var wasAsked = false
        var hasAnswered = false
        /// A request never left on it, since it had ended.
        var isDead = false
        /// A message on it could be taken for another's answer.
        var isTainted = false
        /// The device said that it takes no further request.
        var isSpent = false
        var isOverdue = false
        /// It was to be closed because it failed.
        var hasFailed = false
        /// It was closed because it was idle.
        var wasIdle = false
        var isClosing = false
        /// Some of its requests wait to be sent once more.
        var hasReturned = false

        /// Neither to be closed nor, as far as anybody knows, at its end.
        var isReady: Bool { isOpen && !isDead }
        var isOpen: Bool { isSettled && !isClosing }
    }

    /// A time of which the rules leave open which of two it is.
    struct Bound {
        /// Nothing may happen earlier.
        var least = Duration.zero
        /// By then it must have happened.
        var most = Duration.zero

        mutating func push(to time: Duration) {
            least = max(least, time)
            most = max(most, time)
        }
    }

    /// What one event brought.
    struct Step {
        var isVisit = false
        /// Nothing was done.
        var isInVain = true
        /// The request that must be answered now.
        var answered: Int?
        /// The request that the device meant.
        var meant: Int?
        /// Requests that ended without an answer, and broadcasts that are over.
        var ended: [Int] = []
        /// Requests that wait to be sent once more.
        var returned: [Int] = []
        var left: ClientID?
        /// Whether a connection failed.
        var hasFailed = false
        /// How long it was attempted, if it never stood.
        var attempt = Duration.zero
        /// What the core has to report.
        var due: [Due] = []
        var isDrainOverdue = false
        /// Which reasons there were to close a connection that works.
        var mayCloseIdle = false
        var mayRenew = false
        var mayLeave = false
        var closesQuietly = false
        /// The reasons given.
        var reported: [Multiplexer.Report] = []
    }

    /// What has to be reported, once.
    enum Due: Equatable {
        case stray, late, strayOrLate, unsolicited, broadcastAnswered
        case competitor(Int)
        case closedEarly
        case again(Int)
    }
}

// MARK: - What the core is told

extension Oracle {
    mutating func begin(_ event: Multiplexer.Event, at now: Duration, answering serial: Int? = nil) {
        step = Step()
        step.meant = serial
        switch event {
        case .clientJoined(let client):
            clients[client] = Client()
            present.append(client)
            lingersUntil = nil
        case .clientLeft(let client):
            leave(client, at: now)
        case .requestReceived(let id, let request, let client):
            ask(id, request, client, at: now)
        case .upstreamConnected(let id):
            guard link?.id == id, link?.connectedAt == nil, link?.isClosing == false else { return }
            link?.connectedAt = now
            if configuration.delayAfterConnect == .zero { becomeReady(at: now) }
        case .upstreamClosed(let id, let midResponse):
            closed(id, midResponse: midResponse, at: now)
        case .requestUnsent(let id, let on):
            unsent(id, on: on, at: now)
        case .responseReceived(let response, let id):
            received(response, on: id, at: now)
        case .responseDamaged(let id):
            damaged(on: id, at: now)
        case .deadlineReached:
            visit(at: now)
        case .drainRequested:
            guard drainDeadline == nil else { return }
            drainDeadline = now + configuration.drainTimeout
            lingersUntil = nil
        }
    }

    private mutating func leave(_ client: ClientID, at now: Duration) {
        clients[client]?.isHere = false
        present.removeAll { $0 == client }
        firstTurns.removeAll { $0.client == client }
        step.left = client
        guard present.isEmpty else { return }
        isResting = false
        if drainDeadline == nil { lingersUntil = now + configuration.linger }
    }

    private mutating func ask(
        _ id: RequestID,
        _ request: MultiplexerCore.Request,
        _ client: ClientID,
        at now: Duration
    ) {
        counted.requests += 1
        serials[id] = requests.count
        requests.append(
            Request(
                client: client,
                correlation: request.correlation,
                isRead: !request.mayWrite,
                expectsResponse: request.expectsResponse,
                deadline: now + configuration.queueTimeout
            )
        )
        wait(requests.count - 1)
    }

    /// Puts a request where it belongs among those of its client.
    private mutating func wait(_ serial: Int) {
        let client = requests[serial].client
        guard var queue = clients[client] else { return }
        if queue.waiting.isEmpty { queue.waitingSince = turn }
        let place = queue.waiting.firstIndex { $0 > serial } ?? queue.waiting.endIndex
        queue.waiting.insert(serial, at: place)
        clients[client] = queue
    }

    private mutating func becomeReady(at now: Duration) {
        link?.isSettled = true
        use.push(to: now)
    }

    private mutating func visit(at now: Duration) {
        step.isVisit = true
        asked = nil
        if let until = backingOffUntil, until <= now { backingOffUntil = nil }
        if let link, !link.isClosing {
            if let connectedAt = link.connectedAt {
                if !link.isSettled, connectedAt + configuration.delayAfterConnect <= now { becomeReady(at: now) }
            } else if link.connectDeadline <= now {
                self.link?.isOverdue = true
            }
        }
        for index in flights.indices.reversed() where flights[index].deviceDeadline <= now {
            let flight = flights.remove(at: index)
            retired.insert(flight.transactionID)
            // From when its time was over, or from when that was noticed.
            gap.least = max(gap.least, flight.deviceDeadline + configuration.minimumGap)
            gap.most = max(gap.most, now + configuration.minimumGap)
            guard flight.expectsResponse else { continue }
            silences += 1
            use.push(to: now)
            if !configuration.carriesTransactionIDs { link?.isTainted = true }
        }
        if let drainDeadline, drainDeadline <= now, !isDrained {
            step.isDrainOverdue = true
            land()
        }
    }
}

// MARK: - The device's messages

extension Oracle {
    private mutating func received(_ response: Response, on id: LinkID, at now: Duration) {
        guard !response.isUnsolicited else {
            keepQuietAfterStray(at: now)
            counted.strays += 1
            step.due.append(.unsolicited)
            return
        }
        guard let link, link.id == id, link.isReady else {
            keepQuietAfterStray(at: now)
            // Whether a message of an old connection is late or a stray makes no difference to anybody.
            return stray(retired.contains(response.transactionID) ? .strayOrLate : .stray)
        }
        guard let index = flights.firstIndex(where: { $0.expectsResponse && $0.matches(response) }) else {
            keepQuietAfterStray(at: now)
            if flights.contains(where: { !$0.expectsResponse && $0.matches(response) }) {
                counted.strays += 1
                answered()
                use.most = max(use.most, now)
                step.due.append(.broadcastAnswered)
            } else if configuration.carriesTransactionIDs {
                stray(retired.contains(response.transactionID) ? .late : .stray)
            } else {
                self.link?.isTainted = true
                stray(.stray)
            }
            return
        }
        let flight = flights.remove(at: index)
        gap.push(to: now + configuration.minimumGap)
        answered()
        strays = 0
        use.push(to: now)
        if requests[flight.serial].state == .sent { step.answered = flight.serial }
        if response.isLast {
            self.link?.isSpent = true
            land(repeatingReads: true, at: now)
        }
    }

    /// What answers nothing puts the next request off, but not for ever.
    private mutating func keepQuietAfterStray(at now: Duration) {
        guard now >= gap.least else { return }
        if now >= gap.most { gap.least = now + configuration.minimumGap }
        gap.most = now + configuration.minimumGap
    }

    private mutating func stray(_ due: Due) {
        counted.strays += 1
        step.due.append(due)
    }

    private mutating func damaged(on id: LinkID, at now: Duration) {
        guard let link, link.id == id, link.isReady, !flights.isEmpty, !configuration.carriesTransactionIDs else {
            gap.most = max(gap.most, now + configuration.minimumGap)
            return
        }
        gap.push(to: now + configuration.minimumGap)
        answered()
        use.most = max(use.most, now)
        land()
    }

    private mutating func answered() {
        link?.hasAnswered = true
        silences = 0
        failures = 0
        hasForgiven = false
    }
}

// MARK: - The end of a connection

extension Oracle {
    private mutating func closed(_ id: LinkID, midResponse: Bool, at now: Duration) {
        guard let ended = link, ended.id == id else { return }
        connectNotBefore = now + configuration.settleTime
        step.attempt = ended.connectedAt == nil ? now - ended.connectDeadline + configuration.connectTimeout : .zero
        // A connection that never stood was not lost.
        if ended.connectedAt != nil { gap.least = max(gap.least, now + configuration.minimumGap) }
        gap.most = max(gap.most, now + configuration.minimumGap)
        if ended.isClosing {
            land()
            if ended.hasFailed { fail(at: now) }
            isResting = ended.wasIdle && !ended.hasFailed && !present.isEmpty
        } else if ended.isOpen {
            land(repeatingReads: !midResponse && (ended.hasAnswered || !hasForgiven), at: now)
            closedReady(at: now)
        } else if ended.connectedAt != nil {
            closedEarly(at: now)
        } else {
            fail(at: now)
        }
        link = nil
    }

    private mutating func closedEarly(at now: Duration) {
        guard failures == 0, earlyEnds < Self.earlyEndsForgiven else { return fail(at: now) }
        earlyEnds += 1
        step.due.append(.closedEarly)
    }

    private static let earlyEndsForgiven = 3

    private mutating func closedReady(at now: Duration) {
        guard let ended = link, !ended.hasAnswered else { return }
        guard ended.wasAsked else {
            guard ended.isDead || !hasWaiting else { return closedEarly(at: now) }
            isResting = !present.isEmpty
            return
        }
        if ended.hasReturned, !hasForgiven {
            hasForgiven = true
        } else {
            fail(at: now)
        }
    }

    private mutating func fail(at now: Duration) {
        failures += 1
        step.hasFailed = true
        connectNotBefore = now + wait(of: leastStep)
    }

    /// No byte of it left: when the connection's end has come, it is as if it had not been sent, once.
    private mutating func unsent(_ id: RequestID, on ended: LinkID, at now: Duration) {
        guard let link, link.id == ended, link.isOpen else { return }
        self.link?.isDead = true
        gap.push(to: now + configuration.minimumGap)
        guard let serial = serials[id], let index = flights.firstIndex(where: { $0.serial == serial }) else { return }
        flights[index].isUnsent = true
    }

    /// Nothing that is in flight will be answered.
    mutating func land() {
        for flight in flights { retired.insert(flight.transactionID) }
        flights.removeAll()
    }

    /// Nothing that is in flight will be answered; what never left, and reads if they may be, are to be sent again.
    private mutating func land(repeatingReads: Bool, at now: Duration) {
        let older = firstTurns
        firstTurns = []
        for flight in flights where drainDeadline == nil {
            let request = requests[flight.serial]
            guard flight.isUnsent || (repeatingReads && request.isRead && request.expectsResponse),
                now < request.deadline, !request.wasReturned
            else { continue }
            giveBack(flight)
        }
        firstTurns += older.filter { turn in !firstTurns.contains { $0.client == turn.client } }
        land()
    }

    private mutating func giveBack(_ flight: Flight) {
        let client = requests[flight.serial].client
        guard requests[flight.serial].state == .sent, clients[client]?.isHere == true else { return }
        requests[flight.serial].state = .waiting
        requests[flight.serial].wasReturned = true
        link?.hasReturned = true
        wait(flight.serial)
        clients[client]?.returned += 1
        if !firstTurns.contains(where: { $0.client == client }) { firstTurns.append(FirstTurn(client: client)) }
        step.returned.append(flight.serial)
        step.due.append(.again(flight.serial))
    }
}
