extension Multiplexer {
    /// Remembers what the device answers and on what it ends its connection, so that nobody pays for another's request.
    ///
    /// A request that made the device hang up twice is not sent again for a while that grows, for those on whom it hung up
    /// and for whoever is not trusted: what one client may not have written, another's write to the same place need not share.
    /// After three of them, nothing is for a while that the device has not answered before, unless a trusted client asks: so
    /// a client that keeps asking other things that make it hang up cannot have everyone wait for new connections.
    ///
    /// ```
    ///           hung up twice                       the while is over
    ///  closed ────────────────▶ open: fails at once ─────────────────▶ half open: the next one is sent
    ///    ▲                        ▲                                         │          │
    ///    │ answered               └──────────── hung up again, for longer ──┘          │
    ///    └─────────────────────────────────────────────────────────────────────────────┘
    /// ```
    struct CircuitBreakers {
        /// How long a subject is held back, at first and at most.
        var backoff: Backoff
        private var responded: RespondedSubjects
        private(set) var hasResponded = false
        /// The subjects on which the device hung up, and not answered since.
        private var suspects: [Suspect] = []
        /// What the device hung up on and had not answered before, less what it answered since to those not trusted.
        private var newcomers = 0
        private var newcomersUntil = Duration.zero
        private var lastNewcomer = Duration.zero
        /// The subjects that were not answered, each once, for as long as nothing was answered.
        private var unanswered: [Request.Subject] = []

        private struct Suspect {
            let subject: Request.Subject
            var hangUps = 0
            /// On whom the device hung up.
            var clients: [ClientID] = []
            /// Until when it is held back.
            var until: Duration
        }

        /// How many hang-ups on one subject open its breaker.
        private static let hangUpLimit = 2
        /// How many answers make up for a hang-up on a new subject.
        private static let responsesPerNewcomer = 4
        /// How many hang-ups on new subjects hold all new ones back.
        private static let newcomerLimit = 3 * responsesPerNewcomer
        private static let greatestNewcomers = 1000
        /// How many subjects without an answer tell of the device, if it has never answered anything.
        private static let unansweredLimit = 3
        /// How many suspects are remembered, and of each how many clients; then the oldest is forgotten.
        private static let suspectLimit = 64
        /// How long after it was last held back a suspect is remembered, and how long newcomers are.
        static let memory = Duration.seconds(60)

        init(_ backoff: Backoff, seed: UInt64) {
            self.backoff = backoff
            responded = RespondedSubjects(seed: seed)
        }

        /// Whether anything may be held back.
        func isOpen(at now: Duration) -> Bool {
            now < newcomersUntil || (!suspects.isEmpty && suspects.contains { now < $0.until })
        }

        /// Whether a client's request is not to be sent now.
        func holdsBack(_ subject: Request.Subject?, of client: ClientID, isTrusted: Bool, at now: Duration) -> Bool {
            guard let subject else { return false }
            if let suspect = suspects.first(where: { $0.subject == subject }), now < suspect.until {
                return !isTrusted || suspect.clients.contains(client)
            }
            return now < newcomersUntil && !isTrusted && !knows(subject)
        }

        /// Whether the device hung up on it when it was asked last, so that it is asked alone.
        func suspects(_ subject: Request.Subject?) -> Bool {
            !suspects.isEmpty && suspects.contains { $0.subject == subject }
        }

        /// Whether the device answered it when it was asked last.
        func knows(_ subject: Request.Subject) -> Bool { responded.contains(subject) }

        /// The device answered those who asked; `isTrusted` if all of them were before.
        mutating func deviceResponded(
            to subject: Request.Subject?,
            of waiters: Waiters,
            isTrusted: Bool,
            at now: Duration
        ) {
            guard let subject else { return }
            hasResponded = true
            if responded.insert(subject), newcomers > 0, !isTrusted {
                (newcomers, newcomersUntil) = (newcomers - 1, .zero)
            }
            if !suspects.isEmpty { clear(subject, of: waiters, at: now) }
        }

        /// Another client's request may write other values, so that its answer clears nobody else.
        private mutating func clear(_ subject: Request.Subject, of waiters: Waiters, at now: Duration) {
            guard let index = suspects.firstIndex(where: { $0.subject == subject }) else { return }
            for waiter in waiters { suspects[index].clients.removeAll { $0 == waiter.client } }
            if suspects[index].clients.isEmpty || now > suspects[index].until + Self.memory {
                suspects.remove(at: index)
            }
        }

        /// The device let it time out: it may do so again.
        mutating func deviceTimedOut(on subject: Request.Subject?) {
            guard let subject else { return }
            countUnanswered(subject)
            responded.remove(subject)
        }

        /// Whether at least `unansweredLimit` different subjects, these included, were not answered: then it is not the subject's
        /// fault.
        func hasRespondedToNone(of subjects: some Sequence<Request.Subject>) -> Bool {
            var all = unanswered
            for subject in subjects where !all.contains(subject) { all.append(subject) }
            return all.count >= Self.unansweredLimit
        }

        private mutating func countUnanswered(_ subject: Request.Subject) {
            guard !hasResponded, unanswered.count < Self.unansweredLimit, !unanswered.contains(subject) else { return }
            unanswered.append(subject)
        }

        /// The device ended its connection on it, and with others in flight perhaps on one of those.
        ///
        /// - Returns: How long it is held back from now on; nil if it is not.
        mutating func deviceHungUp(
            on subject: Request.Subject?,
            of waiters: Waiters,
            isAlone: Bool,
            at now: Duration
        ) -> Duration? {
            guard let subject else { return nil }
            countUnanswered(subject)
            let isNew = !responded.remove(subject)
            suspects.removeAll { now > $0.until + Self.memory }
            var suspect = suspects.first { $0.subject == subject } ?? Suspect(subject: subject, until: now)
            // With others in flight nobody can tell; asked alone it will.
            guard isAlone || suspect.hangUps == 0 else { return nil }
            suspect.hangUps += 1
            for waiter in waiters where !suspect.clients.contains(waiter.client) {
                if suspect.clients.count == Self.suspectLimit { suspect.clients.removeFirst() }
                suspect.clients.append(waiter.client)
            }
            if isAlone, isNew, hasResponded, suspect.hangUps == 1 { countNewcomer(at: now) }
            let isHeldBack = suspect.hangUps >= Self.hangUpLimit
            let delay = isHeldBack ? wait(after: suspect.hangUps - Self.hangUpLimit) : .zero
            suspect.until = now + delay
            store(suspect)
            return isHeldBack ? delay : nil
        }

        private mutating func store(_ suspect: Suspect) {
            if let index = suspects.firstIndex(where: { $0.subject == suspect.subject }) {
                suspects[index] = suspect
            } else {
                if suspects.count == Self.suspectLimit { suspects.removeFirst() }
                suspects.append(suspect)
            }
        }

        private mutating func countNewcomer(at now: Duration) {
            if now > max(lastNewcomer, newcomersUntil) + Self.memory { newcomers = 0 }
            lastNewcomer = now
            newcomers = min(newcomers + Self.responsesPerNewcomer, Self.greatestNewcomers)
            guard newcomers >= Self.newcomerLimit else { return }
            newcomersUntil = now + wait(after: (newcomers - Self.newcomerLimit) / Self.responsesPerNewcomer)
        }

        /// Doubled each time.
        private func wait(after times: Int) -> Duration {
            var delay = max(backoff.initial, Backoff.shortest)
            for _ in 0..<times where delay < backoff.maximum { delay *= 2 }
            return min(delay, max(backoff.maximum, Backoff.shortest))
        }
    }

    /// What a connection that answered nothing says of the device.
    enum Blame {
        /// Nothing that could be compared: nothing was ever answered, whatever was asked.
        case nobody
        /// It was asked what it has answered before.
        case device
        /// It was asked only what it has not answered when it was asked last.
        case request
    }
}
