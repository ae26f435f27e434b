import DequeModule

/// Hands out transaction ids that no late response can carry.
struct TransactionIDs: Sendable {
    /// How long after its timeout an id is not used again.
    ///
    /// A device that answers later than this has lost the request.
    static let quarantine = Duration.seconds(60)
    /// How many ids are kept back at most; the oldest come back first.
    ///
    /// Far fewer than there are ids, so that one is left.
    static let quarantineLimit = 4096

    private var last: UInt16 = 0
    private var quarantined: Deque<(id: UInt16, until: Duration)> = []

    /// The next id that is not quarantined.
    mutating func next(at now: Duration) -> UInt16 {
        while let oldest = quarantined.first, oldest.until <= now {
            quarantined.removeFirst()
        }
        repeat {
            last &+= 1
        } while quarantined.contains { $0.id == last }
        return last
    }

    /// Whether an id is kept back, since its response may still come.
    func isRetired(_ id: UInt16, at now: Duration) -> Bool {
        quarantined.contains { $0.id == id && now < $0.until }
    }

    /// Keeps an id back, since its response may still come.
    mutating func retire(_ id: UInt16, at now: Duration) {
        if quarantined.count == Self.quarantineLimit { quarantined.removeFirst() }
        quarantined.append((id, now + Self.quarantine))
    }
}
