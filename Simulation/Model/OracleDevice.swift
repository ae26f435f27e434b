import MultiplexerCore

// What the rules say of devices that end their connection on a request, count an old one, or answer what they were not asked.

extension Oracle {
    /// What the device answered, and on what it ended its connection.
    struct Experience {
        /// What it answered when it was asked last.
        private(set) var known: Set<MultiplexerCore.Request.Subject> = []
        private(set) var hasResponded = false
        private var hangUps: [MultiplexerCore.Request.Subject: HangUps] = [:]
        /// Four for each hang-up on what it had not answered, less one for each such answer.
        private var newcomers = 0
        private var newcomersUntil = Duration.zero
        private var lastNewcomer = Duration.zero

        private struct HangUps {
            var count = 0
            var until = Duration.zero
            var clients: Set<ClientID> = []

            func isForgotten(at now: Duration) -> Bool { now - until > .seconds(60) }
        }

        /// What was asked while nothing was ever answered.
        private(set) var unanswered: Set<MultiplexerCore.Request.Subject> = []

        func holdsBack(
            _ subject: MultiplexerCore.Request.Subject?,
            of client: ClientID,
            isTrusted: Bool,
            at now: Duration
        ) -> Bool {
            guard let subject else { return false }
            if let before = hangUps[subject], now < before.until {
                return before.clients.contains(client) || !isTrusted
            }
            return now < newcomersUntil && !isTrusted && !known.contains(subject)
        }

        func suspects(_ subject: MultiplexerCore.Request.Subject?) -> Bool {
            subject.map { hangUps[$0] != nil } ?? false
        }

        mutating func deviceResponded(
            _ subject: MultiplexerCore.Request.Subject?,
            to clients: [ClientID],
            isTrusted: Bool,
            at now: Duration
        ) {
            guard let subject else { return }
            hasResponded = true
            if known.insert(subject).inserted, !isTrusted, newcomers > 0 {
                newcomers -= 1
                newcomersUntil = .zero
            }
            guard var before = hangUps[subject] else { return }
            before.clients.subtract(clients)
            hangUps[subject] = before.clients.isEmpty || before.isForgotten(at: now) ? nil : before
        }

        mutating func silent(_ subject: MultiplexerCore.Request.Subject?) {
            guard let subject else { return }
            known.remove(subject)
            if !hasResponded { unanswered.insert(subject) }
        }

        /// Returns for how long it is held back now.
        mutating func deviceHungUp(
            _ subject: MultiplexerCore.Request.Subject?,
            of clients: [ClientID],
            isAlone: Bool,
            _ backoff: Backoff,
            at now: Duration
        ) -> Duration? {
            guard let subject else { return nil }
            if !hasResponded { unanswered.insert(subject) }
            let isNew = known.remove(subject) == nil
            hangUps = hangUps.filter { !$0.value.isForgotten(at: now) }
            let before = hangUps[subject]?.count ?? 0
            guard isAlone || before == 0 else { return nil }
            if isAlone, isNew, hasResponded, before == 0 { countNewcomer(backoff, at: now) }
            let delay = before >= 1 ? Self.wait(backoff, doubled: before - 1) : nil
            hangUps[subject, default: HangUps()].count += 1
            hangUps[subject]?.clients.formUnion(clients)
            hangUps[subject]?.until = now + (delay ?? .zero)
            return delay
        }

        private mutating func countNewcomer(_ backoff: Backoff, at now: Duration) {
            if now - max(newcomersUntil, lastNewcomer) > .seconds(60) { newcomers = 0 }
            lastNewcomer = now
            newcomers = min(newcomers + 4, 1000)
            if newcomers >= 12 { newcomersUntil = now + Self.wait(backoff, doubled: (newcomers - 12) / 4) }
        }

        private static func wait(_ backoff: Backoff, doubled times: Int) -> Duration {
            let least = Duration.milliseconds(10)
            let wait = (0..<times).reduce(max(backoff.initial, least)) { wait, _ in min(wait * 2, .seconds(1000)) }
            return min(wait, max(backoff.maximum, least))
        }
    }

    /// Whether a request of a client is not to be sent now.
    func isHeldBack(_ subject: MultiplexerCore.Request.Subject?, of client: ClientID, at now: Duration) -> Bool {
        experience.holdsBack(subject, of: client, isTrusted: clients[client]?.distrust == 0, at: now)
    }

    /// A client comes: if the device hung up on others from there within a minute, as if it had done so on it.
    mutating func join(_ client: ClientID, from origin: IPAddress?, at now: Duration) {
        clients[client] = Client(origin: origin)
        present.append(client)
        if let origin, let until = notorious[origin], now < until { clients[client]?.distrust = 4 }
    }

    /// A connection that ended, and may still be counted.
    struct OldConnection {
        let closedAt: Duration
        var refusals = 0
        let end: End
        /// Whether it was not taken whatever was asked.
        var isSure = false

        /// The wait after a refusal.
        var wait: Duration { min(.milliseconds(20) * (1 << min(refusals, 10)), .seconds(1)) }

        /// Who closed it; announced if it was us after the device had said that it would.
        enum End { case ours, announced, theirs }
    }

    mutating func connectionEnded(_ end: OldConnection.End, at now: Duration) {
        old = OldConnection(closedAt: now, end: end)
        let learned = end == .theirs ? learnedSettleTimes.theirs : learnedSettleTimes.ours
        connectNotBefore = max(connectNotBefore, now + learned)
    }

    /// A while in which nothing that comes answers what will be asked.
    struct Listening {
        let time: Duration
        var until: Duration
        let limit: Duration
    }

    /// Whether the device may not take a connection since it counts the last one.
    func mayBeCounted(at now: Duration) -> Bool {
        old.map { now - $0.closedAt < .seconds($0.end == .theirs ? 1 : 15) } ?? false
    }

    /// Whether a connection that carried requests and answered none may have ended for that.
    func mayBeCounted(at now: Duration, blaming blame: Blame) -> Bool {
        guard mayBeCounted(at: now), let old else { return false }
        switch old.end {
        case .ours: return blame != .request || old.refusals < 3
        case .announced: return blame != .request
        case .theirs: return blame == .device || isAskedByTrusted
        }
    }

    /// Whether nothing is amiss with any client that asked what is in flight.
    private var isAskedByTrusted: Bool {
        flights.filter(\.expectsResponse).allSatisfy { flight in
            !flight.waiters.isEmpty && flight.waiters.allSatisfy { clients[requests[$0].client]?.distrust == 0 }
        }
    }

    mutating func awaitOldConnection(isSure: Bool, at now: Duration) {
        guard let wait = old?.wait else { return }
        old?.refusals += 1
        if isSure { old?.isSure = true }
        connectNotBefore = max(connectNotBefore, now + wait)
        step.due.append(.counted(connectNotBefore - now))
    }

    /// The device answers, so that it counts no other connection.
    mutating func forgetOldConnection() {
        guard let old, let link else { return }
        self.old = nil
        let learned = old.end == .theirs ? \Self.learnedSettleTimes.theirs : \Self.learnedSettleTimes.ours
        guard old.refusals > 0 else {
            self[keyPath: learned] = self[keyPath: learned] < .milliseconds(20) ? .zero : self[keyPath: learned] / 2
            return
        }
        let time = max(link.attempt - old.closedAt, .zero)
        if old.isSure { self[keyPath: learned] = min(time, configuration.queueTimeout / 4) }
        step.due.append(.forgotten(time))
    }

    /// What it says of the device if nothing in flight is answered.
    var blame: Blame {
        let subjects = flights.filter(\.expectsResponse).map { requests[$0.serial].subject }
        guard !subjects.contains(nil) else { return .nobody }
        guard experience.hasResponded else {
            return experience.unanswered.union(subjects.compactMap(\.self)).count >= 3 ? .nobody : .request
        }
        return subjects.contains { $0.map(experience.known.contains) == true } ? .device : .request
    }

    enum Blame { case nobody, device, request }

    /// Whether a connection that was asked and answered nothing is a failure of the device.
    func isFailure(_ blame: Blame, mayRepeat: Bool) -> Bool {
        switch blame {
        case .nobody: hasForgiven || !mayRepeat
        case .device: hasForgiven
        case .request: false
        }
    }

    mutating func deviceHungUp(at now: Duration) {
        let isAlone = flights.count == 1
        for flight in flights where !flight.isUnsent && flight.expectsResponse {
            let subject = requests[flight.serial].subject
            let waiters = flight.waiters.map { requests[$0].client }
            if isAlone { distrust(waiters, orFrom: flight.leftFrom, at: now) }
            if let delay = experience.deviceHungUp(
                subject,
                of: waiters,
                isAlone: isAlone,
                configuration.backoff,
                at: now
            ) {
                step.due.append(.heldBack(flight.waiters, delay))
            }
        }
    }

    /// The device hung up on what these clients asked, or one that came from `origin` and has left.
    private mutating func distrust(_ waiters: [ClientID], orFrom origin: IPAddress?, at now: Duration) {
        if let origin { distrust(origin, at: now) }
        for client in waiters {
            let before = clients[client]?.distrust ?? 0
            clients[client]?.distrust = min(before + 4, 16)
            if let origin = clients[client]?.origin { distrust(origin, at: now) }
        }
    }

    private mutating func distrust(_ origin: IPAddress, at now: Duration) {
        notorious[origin] = now + .seconds(60)
        for client in present where clients[client]?.origin == origin && clients[client]?.gotResponse == false {
            let before = clients[client]?.distrust ?? 0
            clients[client]?.distrust = max(before, 4)
        }
    }

    /// Until when nothing is sent since the line is listened to.
    var listensUntil: Duration { listening?.until ?? .zero }

    mutating func listen(for time: Duration, at now: Duration) {
        guard time > .zero else { return }
        listening = Listening(time: time, until: now + time, limit: now + time * 4)
    }

    /// Whether what came is nobody's, since the line is listened to.
    mutating func hears(on id: LinkID, at now: Duration) -> Bool {
        guard let link, link.id == id, link.isReady, let heard = listening, now < heard.until else { return false }
        listening?.until = min(now + heard.time, heard.limit)
        return true
    }

    /// Whether a response is the answer to a flight: by its id, or by all that it says where there is none.
    func matches(_ response: Response, _ flight: Flight) -> Bool {
        flight.expectsResponse && flight.transactionID == response.transactionID
            && (configuration.carriesTransactionIDs || fits(response, flight))
    }

    /// Whether a response is what was asked for.
    func fits(_ response: Response, _ flight: Flight) -> Bool {
        guard response.correlation == flight.correlation else { return false }
        return response.isFailure || Self.fits(response.content, requests[flight.serial].expectedContent)
    }

    private static func fits(_ content: Content, _ asked: Content) -> Bool {
        switch (asked, content) {
        case (.any, _): true
        case (.values(let least), .values(let bytes)): bytes >= least
        default: asked == content
        }
    }

    /// Whether it is just what was asked for, so that it may be given again.
    func isExact(_ response: Response, _ flight: Flight) -> Bool {
        response.surplus == 0
            && (response.isFailure || requests[flight.serial].expectedContent == .any
                || response.content == requests[flight.serial].expectedContent)
    }

    /// A device that does not repeat ids, if that is how a response can be explained; and whether it is to be told now.
    mutating func explain(_ response: Response) -> Bool {
        guard configuration.carriesTransactionIDs else { return false }
        for flight in flights where flight.expectsResponse && fits(response, flight) {
            let pattern: Multiplexer.MismatchPattern
            switch response.transactionID {
            case 0 where response.isFailure: pattern = .idZeroInExceptions
            case 0: pattern = .idZero
            case flight.transactionID.byteSwapped: pattern = .idSwapped
            case flight.transactionID &+ 1, flight.transactionID &- 1: pattern = .idOffByOne
            default: continue
            }
            mismatches[pattern, default: 0] += 1
            let isTold = pattern != .idZeroInExceptions || mismatches[.idZero] == nil
            if isTold, isDue(mismatches[pattern] ?? 0) { step.due.append(.mismatch(pattern)) }
            return true
        }
        return false
    }

    /// After three times, and whenever that has doubled.
    func isDue(_ count: Int) -> Bool { [3, 6, 12, 24, 48, 96, 192, 384, 768].contains(count) }

    /// An answer of another unit.
    mutating func countOtherUnit(_ found: Correlation, _ expected: Correlation) {
        guard found.function == expected.function, found.unit != expected.unit else { return }
        if lastUnit?.unit != found.unit { lastUnit = (found.unit, 0) }
        lastUnit?.count += 1
        if let lastUnit, isDue(lastUnit.count) { step.due.append(.mismatch(.unit(lastUnit.unit))) }
    }
}
