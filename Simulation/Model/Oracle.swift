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
    /// The turn before, if it is known: whose, and whether it was a write's.
    var turnBefore: (client: ClientID, isUrgent: Bool)?
    /// How many requests have been sent.
    var sendings = 0

    /// What the units of the device hold: the number of the last write that the device has carried out.
    var contents = Latest()
    private var writesDone = 0
    /// What the device did when it carried out a request: the number of a write, or of the last one that a read saw.
    private var executions: [Sending: Int] = [:]
    /// The writes that had ended, so that whoever asked later must see them.
    var landed = Latest()
    /// What stands between reads that may not share: a write that came, was sent or ended, a late response.
    var barriers = Latest()
    private var lastBarrier = 0
    /// Responses that may be given again, by their places.
    var kept: [Int: Kept] = [:]
    /// Those who were answered together, until something else is asked.
    var gathering: Gathering?

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
    /// Answers in a row that came damaged.
    var damages = 0
    var mismatches: [Multiplexer.MismatchPattern: Int] = [:]
    var lastUnit: (unit: UInt8, count: Int)?
    var hasToldWide = false
    var experience = Experience()
    /// From where clients came on whom it hung up, and until when that counts.
    var notorious: [IPAddress: Duration] = [:]
    /// The last connection that we closed, until the device answers on another.
    var old: OldConnection?
    /// How long the device counted a connection that we closed, and one that it closed itself.
    var learnedSettleTimes = (ours: Duration.zero, theirs: Duration.zero)
    /// A request was not answered where no id tells a late answer from the next one.
    var mustListen = false
    var listening: Listening?
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
    /// The wire has no ids then, or it has the awaited one by chance, once in 65,280: that a device says such a thing is beyond
    /// what can be promised.
    func isMistakable(_ response: Response, on id: LinkID, answering serial: Int?) -> Bool {
        guard !response.isUnsolicited, id == link?.id else { return false }
        return flights.contains { flight in
            flight.expectsResponse && flight.serial != serial && flight.transactionID == response.transactionID
                && fits(response, flight)
        }
    }

    /// Whether something else than this request is in flight on a connection.
    func isBusy(_ id: LinkID, with serial: Int) -> Bool { id == link?.id && flights.contains { $0.serial != serial } }

    struct Client {
        /// In the order of their coming.
        var waiting: [Int] = []
        /// How many of them were sent before: nobody could have held them back.
        var returned = 0
        var isHere = true
        var hasAsked = false
        /// What keeps the device's answers from being a reason to send what is new.
        var distrust = 0
        var wasAnswered = false
        let origin: IPAddress?
        var isPaused = false
        var isClosed = false
        /// Turns are counted through all clients.
        var lastSent: [Bool: Int] = [:]
        var lastServed = 0
        var waitingSince = 0
        /// The last writes that were sent for it.
        var writes = Latest()
    }

    struct Request {
        enum State { case waiting, sent, ended }
        let client: ClientID
        let correlation: Correlation
        let isRead: Bool
        let expectsResponse: Bool
        let unit: UInt8?
        /// What it reads, if its answer may be shared.
        let read: MultiplexerCore.Request.Read?
        let answer: Content
        let goesAlone: Bool
        let subject: MultiplexerCore.Request.Subject?
        var deadline: Duration
        /// The last barrier before it.
        let barrier: Int
        /// What the device held when it came: the least that an answer asked for later shows.
        let contents: Int
        /// The writes that had ended when it came: the least that any answer shows.
        let landed: Int
        var state = State.waiting
        /// It is answered by what was asked, or by a response that came, before it.
        var isAnsweredByEarlier = false
        /// It was sent before and waits once more, or did.
        var wasReturned = false
        /// It was sent, and nobody can say that no byte of it left.
        var mayHaveLeft = false
        /// How often it was sent.
        var sendings = 0
    }

    struct FirstTurn {
        let client: ClientID
        /// What it was for has ended: others may come before, and another request of the client in its place.
        var isLoose = false
    }

    /// One time that a request was sent.
    struct Sending: Hashable {
        let serial: Int
        /// From 0.
        let number: Int
    }

    /// A response that is kept.
    struct Kept {
        let read: MultiplexerCore.Request.Read
        let unit: UInt8?
        /// The last barrier before it was asked for.
        let barrier: Int
        /// Which one it was of all that were sent.
        let sending: Int
        let value: Int?
        let time: Duration
    }

    /// Clients that were answered together.
    struct Gathering {
        let read: MultiplexerCore.Request.Read
        let clients: Int
        let end: Duration
    }

    struct Flight {
        /// What was sent.
        let serial: Int
        /// Which of its sendings.
        let number: Int
        /// Which one it was of all that were sent.
        let sending: Int
        let id: RequestID
        let sentAt: Duration
        /// The last barrier when it was sent.
        let barrier: Int
        /// Who is to be answered.
        var askers: [Int]
        let transactionID: UInt16
        let correlation: Correlation
        let expectsResponse: Bool
        let deviceDeadline: Duration
        let isAlone: Bool
        var isUnsent = false
        /// From where the last one came that asked and has left.
        var leftFrom: IPAddress?

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
        /// What that says of the device.
        var blame = Blame.nobody
        /// The device said that it takes no further request.
        var isSpent = false
        var isOverdue = false
        /// It was to be closed because it failed.
        var hasFailed = false
        /// It was closed because it was idle.
        var wasIdle = false
        var isClosing = false

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
        /// What was answered.
        var answered: Flight?
        /// The requests that must be answered now.
        var toAnswer: [Int] = []
        /// The request that the device meant.
        var meant: Int?
        /// The answer is what was asked for, as the world has it.
        var fits = true
        /// What the answer shows, if that is known.
        var value: Int?
        /// The response that must be kept.
        var toKeep: Kept?
        /// The request that came, if its client waited for nothing.
        var arrived: Int?
        /// The request that came and must not be sent, since the device hangs up on such ones.
        var refused: Int?
        /// A stray that a device explains which does not repeat ids.
        var isExplained = false
        /// Whether an answer to it was there or on its way.
        var isAnswerKnown = false
        /// The read that was sent last, with which all that are equal share.
        var leader: Int?
        /// Those whose requests ended without an answer, and broadcasts that are over, by number of sending.
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
        case timedOut([Int])
        /// The answer to a flight that these asked for.
        case damaged([Int])
        case wide
        case noise(Int)
        case mismatch(Multiplexer.MismatchPattern)
        case counted(Duration)
        case forgotten(Duration)
        case drainOverdue(Int)
        case heldBack([Int], Duration)
    }
}

// MARK: - What the core is told

extension Oracle {
    /// The device carries out a request that was sent, once.
    mutating func execute(_ sending: Sending) {
        guard executions[sending] == nil else { return }
        let request = requests[sending.serial]
        guard !request.isRead else { return executions[sending] = contents[request.unit] }
        writesDone += 1
        contents.note(writesDone, request.unit)
        executions[sending] = writesDone
    }

    /// `answering` tells which request the device meant, if any, and which time that it was sent.
    mutating func begin(_ event: Multiplexer.Event, at now: Duration, answering serial: Int? = nil, sending: Int = 0) {
        step = Step()
        step.meant = serial
        if let serial { step.value = executions[Sending(serial: serial, number: sending)] }
        switch event {
        case .clientJoined(let client, let origin):
            join(client, from: origin, at: now)
        case .clientLeft(let client):
            leave(client, at: now)
        case .requestReceived(let id, let request, let client):
            ask(id, request, client, at: now)
        case .requestRepeated(let id):
            extend(id, at: now)
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
        case .responseDamaged(let damage, let id):
            damaged(damage, on: id, at: now)
        case .noiseReceived(let bytes, let id):
            keepQuietAfterStray(at: now)
            _ = hears(on: id, at: now)
            counted.noise += bytes
            step.due.append(.noise(bytes))
        case .deadlineReached:
            visit(at: now)
        case .drainRequested:
            guard drainDeadline == nil else { return }
            drainDeadline = now + configuration.drainTimeout
            lingersUntil = nil
        }
    }

    private mutating func leave(_ client: ClientID, at now: Duration) {
        let hadAskers = hasAskers
        clients[client]?.isHere = false
        for index in flights.indices where flights[index].askers.contains(where: { requests[$0].client == client }) {
            flights[index].leftFrom = clients[client]?.origin
        }
        present.removeAll { $0 == client }
        firstTurns.removeAll { $0.client == client }
        step.left = client
        guard hadAskers, !hasAskers else { return }
        isResting = false
        if drainDeadline == nil { lingersUntil = now + configuration.linger }
    }

    /// Whether anybody is here who has asked anything.
    var hasAskers: Bool { present.contains { clients[$0]?.hasAsked == true } }

    /// A request has more time, and so have those of its client that wait behind it.
    private mutating func extend(_ id: RequestID, at now: Duration) {
        counted.repeated += 1
        guard let serial = serials[id] else { return }
        let deadline = now + configuration.queueTimeout
        let waiting = clients[requests[serial].client]?.waiting ?? []
        for later in waiting.firstIndex(of: serial).map({ waiting[$0...] }) ?? [serial] {
            requests[later].deadline = max(requests[later].deadline, deadline)
        }
    }

    private mutating func ask(
        _ id: RequestID,
        _ request: MultiplexerCore.Request,
        _ client: ClientID,
        at now: Duration
    ) {
        counted.requests += 1
        serials[id] = requests.count
        let isHeard = clients[client]?.isHere == true && drainDeadline == nil
        if isHeard {
            clients[client]?.hasAsked = true
            lingersUntil = nil
        }
        // Behind others of its client it waits for its turn.
        let isFirst = clients[client]?.waiting.isEmpty == true && !hasFlights(of: client)
        let isRefused = isHeard && isFirst && isHeldBack(request.subject, of: client, at: now)
        let isTaken = isHeard && !isRefused
        if request.mayWrite, isTaken { raiseBarrier(request.unit) }
        let isShared = configuration.sharesReads && !request.mayWrite && request.expectsResponse
        let serial = requests.count
        requests.append(
            Request(
                client: client,
                correlation: request.correlation,
                isRead: !request.mayWrite,
                expectsResponse: request.expectsResponse,
                unit: request.unit,
                read: isShared ? request.read : nil,
                answer: request.answer,
                goesAlone: request.goesAlone,
                subject: request.subject,
                deadline: now + configuration.queueTimeout,
                barrier: barriers[request.unit],
                contents: contents[request.unit],
                landed: landed[request.unit]
            )
        )
        if isRefused { step.refused = serial }
        if isTaken, clients[client]?.waiting.isEmpty == true {
            step.arrived = serial
            step.isAnswerKnown = !hasFlights(of: client) && isAnswerKnown(to: serial, at: now)
        }
        if clients[client]?.waiting.isEmpty == true { clients[client]?.waitingSince = turn }
        clients[client]?.waiting.append(serial)
    }

    mutating func raiseBarrier(_ unit: UInt8?) {
        lastBarrier += 1
        barriers.note(lastBarrier, unit)
    }

    /// A request is in flight no more; who asks from now on must see what it changed.
    private mutating func land(_ flight: Flight) {
        let request = requests[flight.serial]
        guard !request.isRead else { return }
        raiseBarrier(request.unit)
        seeLanded(Sending(serial: flight.serial, number: flight.number))
    }

    private mutating func seeLanded(_ sending: Sending) {
        let request = requests[sending.serial]
        if !request.isRead, let number = executions[sending] { landed.note(number, request.unit) }
    }

    private mutating func becomeReady(at now: Duration) {
        link?.isSettled = true
        if mustListen { listen(for: configuration.effectiveQuietTime, at: now) }
        mustListen = false
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
        let blame = blame
        for index in flights.indices.reversed() where flights[index].deviceDeadline <= now {
            let flight = flights.remove(at: index)
            giveUp(flight)
            // From when its time was over, or from when that was noticed.
            gap.least = max(gap.least, flight.deviceDeadline + configuration.minimumGap)
            gap.most = max(gap.most, now + configuration.minimumGap)
            guard flight.expectsResponse else { continue }
            silences += 1
            step.due.append(.timedOut(flight.askers))
            experience.silent(requests[flight.serial].subject)
            link?.blame = blame
            use.push(to: now)
            if !configuration.carriesTransactionIDs { link?.isTainted = true }
        }
        if let drainDeadline, drainDeadline <= now, !isDrained {
            step.isDrainOverdue = true
            // Whose own time is up at the same moment hears of that, and so do all where the silence costs the connection.
            let isSilent = step.due.contains { if case .timedOut = $0 { true } else { false } }
            let isReplaced =
                isSilent && link?.isReady == true && (silences >= 2 || !configuration.carriesTransactionIDs)
            let unanswered = isReplaced ? 0 : flights.flatMap(\.askers).count { now < requests[$0].deadline }
            if unanswered > 0 { step.due.append(.drainOverdue(unanswered)) }
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
        guard let index = flights.firstIndex(where: { answers(response, $0) }) else {
            keepQuietAfterStray(at: now)
            if flights.contains(where: { !$0.expectsResponse && $0.matches(response) }) {
                counted.strays += 1
                answered(at: now)
                use.most = max(use.most, now)
                step.due.append(.broadcastAnswered)
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
            noteUnit(response.correlation, flights[index].correlation)
            return endDamaged(at: index, isInStep: fits(response, flights[index]) ? !isSurplus : true, at: now)
        }
        let flight = flights.remove(at: index)
        gap.push(to: now + configuration.minimumGap)
        answered(at: now)
        strays = 0
        damages = 0
        use.push(to: now)
        land(flight)
        let isTrusted = flight.askers.allSatisfy { clients[requests[$0].client]?.distrust == 0 }
        let askers = flight.askers.map { requests[$0].client }
        experience.answered(requests[flight.serial].subject, to: askers, isTrusted: isTrusted, at: now)
        for client in Set(askers) {
            clients[client]?.wasAnswered = true
            let distrust = clients[client]?.distrust ?? 0
            clients[client]?.distrust = max(distrust - 1, 0)
        }
        if !isExact(response, flight), response.surplus == 0, !hasToldWide {
            hasToldWide = true
            step.due.append(.wide)
        }
        answer(flight, response, at: now)
        if requests[flight.serial].goesAlone {
            listen(for: min(configuration.effectiveQuietTime, .milliseconds(100)), at: now)
        }
        if response.isLast {
            self.link?.isSpent = true
            land(repeatingReads: true, at: now)
        }
    }

    private mutating func answer(_ flight: Flight, _ response: Response, at now: Duration) {
        step.answered = flight
        step.toAnswer = flight.askers
        step.fits = fits(response, flight)
        counted.shared += max(flight.askers.count - 1, 0)
        let request = requests[flight.serial]
        guard let read = request.read else { return }
        if configuration.maximumResponseAge != nil, !response.isFailure, isExact(response, flight),
            flight.barrier == barriers[request.unit]
        {
            step.toKeep = Kept(
                read: read,
                unit: request.unit,
                barrier: flight.barrier,
                sending: flight.sending,
                value: step.value,
                time: now
            )
        } else if flight.askers.count > 1 {
            gathering = Gathering(
                read: read,
                // Who joins what is in flight may be counted twice.
                clients: configuration.maximumResponseAge == nil
                    ? Set(flight.askers.map { requests[$0].client }).count : flight.askers.count,
                end: now + min((now - flight.sentAt) / 4, .milliseconds(5))
            )
        }
    }

    /// A response came to what had been given up: whatever it was, the device has just done it.
    mutating func noteLate() {
        raiseBarrier(nil)
        guard let meant = step.meant else { return }
        for number in 0...requests[meant].sendings { seeLanded(Sending(serial: meant, number: number)) }
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

    private mutating func damaged(_ damage: ResponseDamage, on id: LinkID, at now: Duration) {
        guard let link, link.id == id, link.isReady else { return }
        let index = flights.firstIndex { $0.expectsResponse && $0.transactionID == damage.transactionID }
        guard let index else {
            counted.damaged += 1
            keepQuietAfterStray(at: now)
            _ = hears(on: id, at: now)
            step.due.append(.damaged([]))
            if !damage.isInStep { loseStep(at: now) }
            return
        }
        endDamaged(at: index, isInStep: damage.isInStep, at: now)
    }

    /// The answer came, and cannot be given: a read is asked once more, unless that is in vain.
    private mutating func endDamaged(at index: Int, isInStep: Bool, at now: Duration) {
        counted.damaged += 1
        damages += 1
        gap.push(to: now + configuration.minimumGap)
        answered(at: now)
        use.push(to: now)
        step.due.append(.damaged(flights[index].askers))
        let flight = flights.remove(at: index)
        land(flight)
        if configuration.carriesTransactionIDs { retired.insert(flight.transactionID) }
        let request = requests[flight.serial]
        if isInStep, damages < 3, request.isRead, request.expectsResponse, drainDeadline == nil {
            putBack(flight.askers.filter { now < requests[$0].deadline && !requests[$0].wasReturned })
            for serial in step.returned where flight.askers.contains(serial) {
                requests[serial].mayHaveLeft = requests[serial].mayHaveLeft || !flight.isUnsent
            }
        }
        if !isInStep { loseStep(at: now) }
    }

    /// What follows cannot be told apart.
    private mutating func loseStep(at now: Duration) {
        link?.isTainted = true
        link?.blame = .nobody
        land(repeatingReads: true, evenReturned: true, at: now)
    }

    private mutating func answered(at now: Duration) {
        link?.hasAnswered = true
        silences = 0
        failures = 0
        hasForgiven = false
        forgetOldConnection()
    }
}

// MARK: - The end of a connection

extension Oracle {
    private mutating func closed(_ id: LinkID, midResponse: Bool, at now: Duration) {
        guard let ended = link, ended.id == id else { return }
        connectNotBefore = now + configuration.settleTime
        if now < listensUntil { mustListen = true }
        listening = nil
        step.attempt = ended.connectedAt == nil ? now - ended.connectDeadline + configuration.connectTimeout : .zero
        // A connection that never stood was not lost.
        if ended.connectedAt != nil { gap.least = max(gap.least, now + configuration.minimumGap) }
        gap.most = max(gap.most, now + configuration.minimumGap)
        if ended.isClosing {
            land()
            if ended.hasFailed {
                fail(at: now)
            } else if ended.connectedAt != nil {
                noteEnd(ended.isSpent ? .announced : .ours, at: now)
            }
            isResting = ended.wasIdle && !ended.hasFailed && hasAskers
        } else if ended.isOpen {
            closedReady(midResponse: midResponse, at: now)
        } else if ended.connectedAt != nil {
            closedEarly(at: now)
        } else if mayBeCounted(at: now) {
            awaitOldConnection(isSure: true, at: now)
        } else {
            fail(at: now)
        }
        link = nil
    }

    private mutating func closedEarly(at now: Duration) {
        guard !mayBeCounted(at: now) else { return awaitOldConnection(isSure: true, at: now) }
        guard failures == 0, earlyEnds < Self.earlyEndsForgiven else { return fail(at: now) }
        earlyEnds += 1
        step.due.append(.closedEarly)
    }

    private static let earlyEndsForgiven = 3

    private mutating func closedReady(midResponse: Bool, at now: Duration) {
        guard let ended = link else { return }
        guard ended.wasAsked || ended.hasAnswered else {
            land(repeatingReads: true, at: now)
            guard ended.isDead || !hasWaiting else { return closedEarly(at: now) }
            isResting = hasAskers
            return
        }
        let blame = blame
        let isCounted = !ended.hasAnswered && !midResponse && mayBeCounted(at: now, blaming: blame)
        let mayRepeat = flights.contains { flight in
            let request = requests[flight.serial]
            return (flight.isUnsent || (!midResponse && request.isRead && request.expectsResponse))
                && flight.askers.contains { now < requests[$0].deadline && !requests[$0].wasReturned }
        }
        if !isCounted { noteHangUp(at: now) }
        if isCounted {
            awaitOldConnection(isSure: blame == .device, at: now)
            land(repeatingReads: true, evenReturned: true, asLast: true, at: now)
        } else if !ended.hasAnswered, isFailure(blame, mayRepeat: mayRepeat) {
            land(repeatingReads: false, at: now)
            fail(at: now)
        } else {
            if !ended.hasAnswered { hasForgiven = hasForgiven || blame != .request }
            land(repeatingReads: !midResponse, at: now)
            noteEnd(.theirs, at: now)
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
        // Whoever asked first may be gone, and its id in use again.
        guard let index = flights.lastIndex(where: { $0.id == id }) else { return }
        flights[index].isUnsent = true
    }

    /// A request is in flight no more, and its answer may still come.
    private mutating func giveUp(_ flight: Flight) {
        land(flight)
        retired.insert(flight.transactionID)
        if flight.expectsResponse, !flight.isUnsent, configuration.effectiveQuietTime > .zero { mustListen = true }
    }

    /// Nothing that is in flight will be answered.
    mutating func land() {
        for flight in flights { giveUp(flight) }
        flights.removeAll()
    }

    /// Nothing that is in flight will be answered; what never left, and reads if they may be, are to be sent again.
    private mutating func land(
        repeatingReads: Bool,
        evenReturned: Bool = false,
        asLast: Bool = false,
        at now: Duration
    ) {
        var returned: [Int] = []
        for flight in flights where drainDeadline == nil {
            let request = requests[flight.serial]
            guard flight.isUnsent || (repeatingReads && request.isRead && request.expectsResponse) else { continue }
            let again = flight.askers.filter {
                now < requests[$0].deadline && (evenReturned || !requests[$0].wasReturned)
            }
            for serial in again where !flight.isUnsent { requests[serial].mayHaveLeft = true }
            returned += again
        }
        putBack(returned, asLast: asLast)
        land()
    }

    /// Requests wait again: what came first is first again, before all that its client asks besides.
    private mutating func putBack(_ returned: [Int], asLast: Bool = false) {
        let older = firstTurns
        firstTurns = []
        let returned = returned.sorted()
        for serial in returned { giveBack(serial, asLast: asLast) }
        for serial in returned.reversed() {
            let client = requests[serial].client
            // What waits behind it has no less time.
            for later in clients[client]?.waiting ?? [] {
                requests[later].deadline = max(requests[later].deadline, requests[serial].deadline)
            }
            clients[client]?.waiting.insert(serial, at: 0)
        }
        firstTurns += older.filter { turn in !firstTurns.contains { $0.client == turn.client } }
    }

    private mutating func giveBack(_ serial: Int, asLast: Bool) {
        let client = requests[serial].client
        requests[serial].state = .waiting
        requests[serial].wasReturned = true
        requests[serial].isAnsweredByEarlier = false
        // Who yields its turn waits anew.
        if asLast || clients[client]?.waiting.isEmpty == true { clients[client]?.waitingSince = turn }
        clients[client]?.returned += 1
        if !asLast, !firstTurns.contains(where: { $0.client == client }) {
            firstTurns.append(FirstTurn(client: client))
        }
        step.returned.append(serial)
        step.due.append(.again(serial))
    }
}
