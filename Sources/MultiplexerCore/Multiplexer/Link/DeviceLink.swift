extension Multiplexer {
    /// The connection to the device, of which there is never more than one: when it is opened, when it may carry a request,
    /// when it is closed, and what its end means.
    struct DeviceLink {
        private var configuration: Configuration
        private(set) var state = State.down

        private var last = LinkID(rawValue: 0)
        private var use = Use.unused
        private var health = DeviceHealth()
        /// Connections in a row that ended before the request was due for which they were opened.
        private var earlyEnds = 0

        /// When the connection was asked for.
        private var attempt = Duration.zero
        /// When the connection stood.
        private var beginning: Duration?
        /// When it was used last.
        private var lastUse = Duration.zero
        /// When it carries no request, since the device is left alone.
        var quiet: LineQuiet
        /// Until when no connection is opened: the device may still count the one that ended.
        private var settledAt = Duration.zero
        private var oldConnection = OldConnection()
        /// Whether one may be opened: nobody else has one any more.
        private var mayConnect: Bool
        /// Until when it is kept for clients to come.
        private var lingerEnd: Duration?

        private var jitter: SplitMix64

        /// A device that closes each time before it can be asked is not to be connected to again and again.
        private static let earlyEndsInARow = 3

        init(_ configuration: Configuration, seed: UInt64, mayConnect: Bool) {
            self.configuration = configuration
            self.mayConnect = mayConnect
            quiet = LineQuiet(gap: configuration.minimumGap, quietTime: configuration.effectiveQuietTime)
            jitter = SplitMix64(seed: seed)
        }
    }
}

// MARK: - Opening and closing

extension Multiplexer.DeviceLink {
    /// Opens the connection if it is wanted, closes it if it is not or is to be renewed.
    ///
    /// - Returns: Whether it was opened.
    mutating func adapt(
        to demand: Demand,
        at now: Duration,
        into actions: inout [Multiplexer.Action]
    ) -> Bool {
        if case .resting = state, !demand.isAny || (demand.hasWaiting && now >= settledAt) { state = .down }
        switch state {
        case .down where demand.isAny && mayConnect && now >= settledAt:
            last = LinkID(rawValue: last.rawValue + 1)
            use = .unused
            health.connects()
            attempt = now
            beginning = nil
            state = .connecting(last, until: now + configuration.connectTimeout)
            actions.append(.connect(last))
            return true
        case .connecting(let id, _) where isUnwanted(demand, at: now),
            .delaying(let id, _) where isUnwanted(demand, at: now),
            .ready(let id) where isUnwanted(demand, at: now):
            close(id, next: .down, into: &actions)
        case .ready(let id) where demand.isIdle && now >= idleEnd ?? .never:
            actions.append(.report(.closingIdle))
            close(id, next: isSilent ? .backingOff : .resting, into: &actions)
        case .ready(let id) where !demand.hasInFlight && now >= (demand.isIdle ? renewal : lifetimeEnd) ?? .never:
            actions.append(.report(.renewing))
            close(id, next: isSilent ? .backingOff : .down, into: &actions)
        default:
            break
        }
        return false
    }

    /// Whether all that the connection was asked timed out.
    private var isSilent: Bool { use == .asked && health.silences > 0 }

    private func isUnwanted(_ demand: Demand, at now: Duration) -> Bool {
        !demand.isAny && (demand.isDraining || now >= lingerEnd ?? now)
    }

    private mutating func close(_ id: LinkID, next: Next, into actions: inout [Multiplexer.Action]) {
        state = .closing(id, next: next)
        actions.append(.disconnect(id))
    }

    /// Other times hold from now on; what waits for a time already waits until then.
    mutating func replaceConfiguration(by configuration: Multiplexer.Configuration, at now: Duration) {
        self.configuration = configuration
        quiet.replace(gap: configuration.minimumGap, quietTime: configuration.effectiveQuietTime, at: now)
        oldConnection.limitLearned(to: configuration.queueTimeout / 4)
    }

    /// Nobody else has a connection any more; with `isSameDevice` the device had one until now.
    mutating func mayConnect(isSameDevice: Bool, at now: Duration) {
        mayConnect = true
        guard isSameDevice else { return }
        settledAt = now + configuration.settleTime
        // Nothing is learned of it yet.
        _ = oldConnection.closed(at: now, .ours)
    }

    /// The last client that asked anything has left.
    mutating func lingers(from now: Duration) { lingerEnd = now + configuration.linger }

    /// A client asks.
    mutating func clientJoined() { lingerEnd = nil }

    /// The connection stands.
    mutating func connected(_ id: LinkID, at now: Duration, into actions: inout [Multiplexer.Action]) {
        guard case .connecting(id, _) = state else { return }
        beginning = now
        guard configuration.delayAfterConnect > .zero else { return becomeReady(id, at: now, into: &actions) }
        state = .delaying(id, until: now + configuration.delayAfterConnect)
    }

    private mutating func becomeReady(_ id: LinkID, at now: Duration, into actions: inout [Multiplexer.Action]) {
        state = .ready(id)
        lastUse = now
        quiet.connected(at: now)
        actions.append(.report(.ready(id)))
    }

    /// Whether the end of the connection, if it comes now, is the device's word on what is in flight.
    func isHangUp(_ loss: Loss, at now: Duration) -> Bool {
        switch state {
        case .ready, .ended:
            use == .responded || (use == .asked && excuse(for: loss, at: now) == nil)
        case .down, .resting, .connecting, .delaying, .closing, .backingOff: false
        }
    }

    /// Nothing is left of the connection that carried `loss`; `hasWaiting` if any request waits.
    mutating func closed(
        _ id: LinkID,
        _ loss: Loss,
        hasWaiting: Bool,
        at now: Duration,
        into actions: inout [Multiplexer.Action]
    ) -> Consequence {
        settledAt = now + configuration.settleTime
        quiet.disconnected(at: now)
        switch state {
        case .connecting where oldConnection.mayBeCounted(at: now):
            awaitOldConnection(isProven: true, at: now, into: &actions)
        case .connecting, .closing(_, next: .backingOff):
            backOff(at: now, into: &actions)
            return .backsOff
        case .delaying:
            return endedEarly(at: now, into: &actions)
        case .ready where use == .unused && hasWaiting:
            return endedEarly(at: now, into: &actions)
        case .closing(_, next: .down):
            state = .down
            connectionEnded(use == .respondedLast ? .announced : .ours, at: now)
        case .closing(_, next: .resting):
            state = .resting
            connectionEnded(use == .respondedLast ? .announced : .ours, at: now)
        case .ready, .ended:
            return lost(loss, at: now, into: &actions)
        case .down, .resting, .backingOff:
            break
        }
        return .goesOn(repeatsReads: false)
    }

    /// It ended before it was asked what it was opened for: that may happen, but not each time.
    private mutating func endedEarly(at now: Duration, into actions: inout [Multiplexer.Action]) -> Consequence {
        guard !oldConnection.mayBeCounted(at: now) else {
            awaitOldConnection(isProven: true, at: now, into: &actions)
            return .goesOn(repeatsReads: true, excuse: .proven)
        }
        guard health.failures == 0, earlyEnds < Self.earlyEndsInARow else {
            backOff(at: now, into: &actions)
            return .backsOff
        }
        earlyEnds += 1
        state = .down
        actions.append(.report(.closedEarly))
        return .goesOn(repeatsReads: true)
    }

    private mutating func lost(_ loss: Loss, at now: Duration, into actions: inout [Multiplexer.Action]) -> Consequence
    {
        if use == .unused {
            state = .resting
            actions.append(.report(.closedUnused))
            return .goesOn(repeatsReads: true)
        } else if use == .asked, let excuse = excuse(for: loss, at: now) {
            awaitOldConnection(isProven: excuse == .proven, at: now, into: &actions)
            return .goesOn(repeatsReads: true, excuse: excuse)
        } else if use == .asked, health.isFailure(blaming: loss.blame, mayRepeat: loss.mayRepeat) {
            backOff(at: now, into: &actions)
            return .backsOff
        } else {
            if use == .asked, loss.blame != .request { health.skipsBackoff() }
            state = .down
            actions.append(.report(.connectionLost(unanswered: loss.unanswered)))
        }
        connectionEnded(.theirs, at: now)
        return .goesOn(repeatsReads: !loss.isMidResponse)
    }

    private mutating func backOff(at now: Duration, into actions: inout [Multiplexer.Action]) {
        health.failed()
        // A long attempt was a wait itself: whoever comes back is found within one step.
        let waited = beginning == nil ? now - attempt : .zero
        let delay = max(
            configuration.backoff.delay(afterFailures: health.failures, using: &jitter) - waited,
            configuration.settleTime,
            Backoff.shortest
        )
        state = .backingOff(until: now + delay)
        actions.append(.report(.backingOff(attempt: health.failures, delay: delay)))
    }

    /// Gives up a connection that seems to stand; whatever is in flight on it is lost.
    mutating func replace(
        _ id: LinkID,
        after cause: Multiplexer.ReplacementCause,
        blaming blame: Multiplexer.Blame,
        into actions: inout [Multiplexer.Action]
    ) {
        actions.append(.report(.replacingConnection(id, after: cause)))
        guard use == .unused || use == .asked else { return close(id, next: .down, into: &actions) }
        let isFailure = health.isFailure(blaming: blame, mayRepeat: false)
        if blame == .device { health.skipsBackoff() }
        close(id, next: isFailure ? .backingOff : .down, into: &actions)
    }

    /// The device said with its answer that it takes no further request.
    mutating func respondedLast(_ id: LinkID, into actions: inout [Multiplexer.Action]) {
        use = .respondedLast
        actions.append(.report(.lastResponse))
        close(id, next: .down, into: &actions)
    }
}

// MARK: - Old connections

extension Multiplexer.DeviceLink {
    /// A connection has ended.
    private mutating func connectionEnded(_ end: OldConnection.End, at now: Duration) {
        guard beginning != nil else { return }
        settledAt = max(settledAt, now + oldConnection.closed(at: now, end))
    }

    /// Whether the device may never have taken the connection, since it counts an older one; nil if not.
    private func excuse(for loss: Loss, at now: Duration) -> OldConnection.Excuse? {
        loss.isMidResponse ? nil : oldConnection.excuse(for: loss.blame, isTrusted: loss.isTrusted, at: now)
    }

    private mutating func awaitOldConnection(
        isProven: Bool,
        at now: Duration,
        into actions: inout [Multiplexer.Action]
    ) {
        settledAt = max(settledAt, now + oldConnection.refused(isProven: isProven))
        state = .down
        actions.append(.report(.oldConnectionCounted(retryIn: settledAt - now)))
    }

    /// The device answers on a new connection.
    private mutating func forgetOldConnection(into actions: inout [Multiplexer.Action]) {
        // Most of the time there is none.
        guard oldConnection.isRemembered else { return }
        // A request must still be able to wait for what is learned.
        let limit = configuration.queueTimeout / 4
        guard let time = oldConnection.responded(attempt: attempt, limit: limit) else { return }
        actions.append(.report(.oldConnectionForgotten(after: time)))
    }
}

// MARK: - Use

extension Multiplexer.DeviceLink {
    /// The connection of which something is left.
    var id: LinkID? {
        switch state {
        case .connecting(let id, _), .delaying(let id, _), .ready(let id), .ended(let id), .closing(let id, _): id
        case .down, .resting, .backingOff: nil
        }
    }

    var isBackingOff: Bool { if case .backingOff = state { true } else { false } }

    /// Whether responses are taken from this connection.
    func isReady(_ id: LinkID) -> Bool { if case .ready(id) = state { true } else { false } }

    /// Whether requests are sent, if not at this moment: what waits for them then waits for its turn.
    var isReady: Bool { if case .ready = state { true } else { false } }

    /// Whether a request may be sent now.
    func mayCarry(at now: Duration) -> Bool {
        guard isReady, quiet.isOver(at: now) else { return false }
        guard let lifetimeEnd else { return true }
        return now < lifetimeEnd
    }

    /// A request was sent.
    mutating func asked(_ request: Request, at now: Duration) {
        if use == .unused, request.expectsResponse { use = .asked }
        earlyEnds = 0
        lastUse = now
        quiet.startGap(from: now)
    }

    /// Something came on a connection.
    ///
    /// - Returns: Whether the line is listened to, so that what came is nobody's.
    mutating func hears(on id: LinkID, at now: Duration) -> Bool { isReady(id) && quiet.hears(at: now) }

    /// The device answered.
    mutating func responded(at now: Duration, into actions: inout [Multiplexer.Action]) {
        if health.isAmiss { actions.append(.report(.respondsAgain)) }
        forgetOldConnection(into: &actions)
        use = .responded
        health = DeviceHealth()
        lastUse = now
    }

    /// The device let a request time out.
    ///
    /// - Returns: Whether it seems to be gone.
    mutating func fellSilent(at now: Duration) -> Bool {
        lastUse = now
        return health.fellSilent()
    }

    /// A request did not leave, since the connection has ended.
    mutating func ended(_ id: LinkID, at now: Duration) {
        guard isReady(id) else { return }
        state = .ended(id)
        quiet.startGap(from: now)
    }
}

// MARK: - Time

extension Multiplexer.DeviceLink {
    /// Does what is due by now.
    ///
    /// - Returns: Whether waiting requests are to fail.
    mutating func expire(at now: Duration, into actions: inout [Multiplexer.Action]) -> Bool {
        switch state {
        case .connecting(let id, let deadline) where deadline <= now:
            actions.append(.report(.connectTimedOut(id)))
            close(id, next: .backingOff, into: &actions)
            return true
        case .delaying(let id, let deadline) where deadline <= now:
            becomeReady(id, at: now, into: &actions)
        case .backingOff(let deadline) where deadline <= now:
            state = .down
        default:
            break
        }
        return false
    }

    /// When something is to be done about the connection if nothing happens before.
    func deadline(_ demand: Demand, at now: Duration) -> Duration? {
        let lingerEnd = demand.isAny ? nil : lingerEnd
        switch state {
        case .down:
            return demand.isAny && mayConnect ? settledAt : nil
        case .connecting(_, let deadline), .delaying(_, let deadline):
            return min(deadline, lingerEnd ?? deadline)
        case .ready:
            let quietEnd = demand.hasWaiting ? quiet.end(after: now) : nil
            return earlier(demand.isIdle ? earlier(idleEnd, renewal) : quietEnd, lingerEnd)
        case .backingOff(let deadline):
            return deadline
        case .resting:
            return demand.hasWaiting && mayConnect ? settledAt : nil
        case .ended, .closing:
            return nil
        }
    }

    private var idleEnd: Duration? { configuration.idleClose.map { lastUse + $0 } }

    private var lifetimeEnd: Duration? { age(configuration.connectionLifetime) }

    /// From when on a quiet moment is taken for a new connection.
    private var renewal: Duration? { age(configuration.connectionLifetime.map { $0 / 4 * 3 }) }

    private func age(_ limit: Duration?) -> Duration? {
        guard let limit, let beginning else { return nil }
        return beginning + limit
    }
}
