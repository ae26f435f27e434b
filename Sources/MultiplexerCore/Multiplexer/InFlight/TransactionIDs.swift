import DequeModule

/// Hands out transaction ids that no late response can carry, and that no client can foresee.
///
/// A client that knew the next id could hide an answer to it in a request of its own. So the ids come in an order of their own,
/// each of them once in 65,280: a Feistel network of four rounds over a counter, keyed by the seed.
struct TransactionIDs: Sendable {
    /// How long after its timeout an id is not used again.
    ///
    /// A device that answers later than this has lost the request.
    static let quarantine = Duration.seconds(60)
    /// How many ids are kept back at most; the oldest come back first.
    ///
    /// Far fewer than there are ids, so that one is left.
    static let quarantineLimit = 4096

    private let keys: InlineArray<4, UInt64>
    private var counter: UInt16 = 0
    private var quarantined: Deque<(id: UInt16, until: Duration)> = []

    /// Ids in the order that belongs to this seed.
    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        keys = InlineArray { _ in random.next() }
    }

    /// The next id that is not quarantined.
    mutating func next(at now: Duration) -> UInt16 {
        while let oldest = quarantined.first, oldest.until <= now {
            quarantined.removeFirst()
        }
        var id: UInt16
        repeat {
            counter &+= 1
            id = shuffled(counter)
            // An id whose bytes are equal would hide that a device swaps them, and 0 that it answers without any.
        } while id == id.byteSwapped || quarantined.contains { $0.id == id }
        return id
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

    private func shuffled(_ number: UInt16) -> UInt16 {
        var left = UInt8(truncatingIfNeeded: number >> 8)
        var right = UInt8(truncatingIfNeeded: number)
        for round in keys.indices {
            let mixed = (keys[round] &+ UInt64(right)) &* 0x9E37_79B9_7F4A_7C15
            (left, right) = (right, left ^ UInt8(truncatingIfNeeded: mixed >> 56))
        }
        return UInt16(left) << 8 | UInt16(right)
    }
}
