extension Multiplexer {
    /// Remembers what the device answers and on what it ends its connection, so that nobody pays for another's request.
    ///
    /// A request that made the device hang up twice is not sent again for a while that grows. After three of them in a row,
    /// nothing is for a while that the device has not answered before, unless a client asks whose requests it answers: so
    /// whoever asks for ever other things that make it hang up cannot have everyone wait for new connections.
    ///
    /// ```
    ///           hung up twice                       the while is over
    ///  closed ────────────────▶ open: fails at once ─────────────────▶ half open: the next one is sent
    ///    ▲                        ▲                                         │          │
    ///    │ answered               └──────────── hung up again, for longer ──┘          │
    ///    └─────────────────────────────────────────────────────────────────────────────┘
    /// ```
    struct CircuitBreakers {
        private let backoff: Backoff
        /// What was answered, each in the place that its hash gives; a newer one takes the place of an older one.
        private var answered = [UInt64](repeating: 0, count: 256)
        private(set) var hasAnswered = false
        /// The subjects on which the device hung up, and not answered since.
        private var suspects: [Suspect] = []
        /// Requests in a row that the device had not answered before, and on which it hung up.
        private var newcomers = 0
        private var newcomersUntil = Duration.zero
        /// What was asked and not answered as long as nothing was, each once.
        private var unanswered: [Request.Subject] = []

        private struct Suspect {
            var subject: Request.Subject
            var hangUps: Int
            /// Until when it is held back.
            var until: Duration
        }

        /// How many hang-ups on one subject open its breaker.
        private static let hangUpLimit = 2
        /// How many hang-ups on new subjects in a row hold all new ones back.
        private static let newcomerLimit = 3
        /// How many subjects without an answer tell of the device, if it has never answered anything.
        private static let unansweredLimit = 3
        /// How many suspects are remembered; then the oldest is forgotten.
        private static let suspectLimit = 64

        init(_ backoff: Backoff) {
            self.backoff = backoff
        }

        /// Whether anything may be held back.
        var isOpen: Bool { newcomers > 0 || !suspects.isEmpty }

        /// Whether a request is not to be sent now; `isTrusted` if its client's are answered.
        func holdsBack(_ subject: Request.Subject?, isTrusted: Bool, at now: Duration) -> Bool {
            guard let subject else { return false }
            if let suspect = suspects.first(where: { $0.subject == subject }), now < suspect.until { return true }
            return now < newcomersUntil && !isTrusted && !knows(subject)
        }

        /// Whether the device hung up on it when it was asked last, so that it is asked alone.
        func suspects(_ subject: Request.Subject?) -> Bool {
            !suspects.isEmpty && suspects.contains { $0.subject == subject }
        }

        /// Whether the device answered it when it was asked last.
        func knows(_ subject: Request.Subject) -> Bool { answered[place(of: subject)] == subject.rawValue }

        /// The device answered; `isTrusted` if it had answered the client before.
        mutating func noteAnswer(_ subject: Request.Subject?, isTrusted: Bool) {
            guard let subject else { return }
            hasAnswered = true
            let place = place(of: subject)
            if newcomers > 0, !isTrusted, answered[place] != subject.rawValue {
                (newcomers, newcomersUntil) = (0, .zero)
            }
            answered[place] = subject.rawValue
            if !suspects.isEmpty { suspects.removeAll { $0.subject == subject } }
        }

        /// The device let it time out: it may do so again.
        mutating func noteSilence(_ subject: Request.Subject?) {
            guard let subject else { return }
            noteUnanswered(subject)
            if knows(subject) { answered[place(of: subject)] = 0 }
        }

        /// Whether so many different things were not answered, and nothing was, that it is no matter of what is asked.
        func hasAnsweredNothing(of subjects: some Sequence<Request.Subject>) -> Bool {
            var all = unanswered
            for subject in subjects where !all.contains(subject) { all.append(subject) }
            return all.count >= Self.unansweredLimit
        }

        private mutating func noteUnanswered(_ subject: Request.Subject) {
            guard !hasAnswered, unanswered.count < Self.unansweredLimit, !unanswered.contains(subject) else { return }
            unanswered.append(subject)
        }

        /// The device ended its connection on it, and with others in flight perhaps on one of those.
        ///
        /// - Returns: How long it is held back from now on; nil if it is not.
        mutating func noteHangUp(_ subject: Request.Subject?, isAlone: Bool, at now: Duration) -> Duration? {
            guard let subject else { return nil }
            noteUnanswered(subject)
            let isNew = !knows(subject)
            if !isNew { answered[place(of: subject)] = 0 }
            let index = suspects.firstIndex { $0.subject == subject } ?? suspects.endIndex
            if index == suspects.endIndex {
                if suspects.count == Self.suspectLimit { suspects.removeFirst() }
                suspects.append(Suspect(subject: subject, hangUps: 0, until: .zero))
            }
            let last = min(index, suspects.count - 1)
            // With others in flight nobody can tell; asked alone it will.
            guard isAlone || suspects[last].hangUps == 0 else { return nil }
            suspects[last].hangUps += 1
            if isAlone, isNew, hasAnswered, suspects[last].hangUps == 1 { noteNewcomer(at: now) }
            guard suspects[last].hangUps >= Self.hangUpLimit else { return nil }
            let delay = wait(after: suspects[last].hangUps - Self.hangUpLimit)
            suspects[last].until = now + delay
            return delay
        }

        private mutating func noteNewcomer(at now: Duration) {
            newcomers += 1
            if newcomers >= Self.newcomerLimit { newcomersUntil = now + wait(after: newcomers - Self.newcomerLimit) }
        }

        /// Doubled each time.
        private func wait(after times: Int) -> Duration {
            var delay = max(backoff.initial, Backoff.shortest)
            for _ in 0..<times where delay < backoff.maximum { delay *= 2 }
            return min(delay, max(backoff.maximum, Backoff.shortest))
        }

        private func place(of subject: Request.Subject) -> Int {
            Int(truncatingIfNeeded: (subject.rawValue &* 0x9E37_79B9_7F4A_7C15) >> 56)
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
