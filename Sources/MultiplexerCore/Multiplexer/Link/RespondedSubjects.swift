/// The subjects asked for lately whose last request the device answered.
///
/// At least ``capacity`` are remembered, at most twice as many: when the newer half is full it becomes the older one, and
/// what was in that is forgotten. Which one drives out which nobody can choose but by asking that many.
struct RespondedSubjects {
    private var newer: Half
    private var older: Half

    static let capacity = 256

    /// Equal seeds give equal places; which subjects share one, nobody can tell from outside.
    init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        newer = Half(multiplier: random.next() | 1)
        older = newer
    }

    func contains(_ subject: Request.Subject) -> Bool {
        newer.find(subject).isFound || older.find(subject).isFound
    }

    /// Inserts a subject.
    ///
    /// - Returns: Whether it was not contained.
    @discardableResult
    mutating func insert(_ subject: Request.Subject) -> Bool {
        let (slot, isFound) = newer.find(subject)
        guard !isFound else { return false }
        let isNew = !older.find(subject).isFound
        if newer.count < Self.capacity {
            newer.put(subject, at: slot)
        } else {
            swap(&newer, &older)
            newer.removeAll()
            newer.put(subject, at: newer.find(subject).slot)
        }
        return isNew
    }

    /// Removes a subject.
    ///
    /// - Returns: Whether it was contained.
    @discardableResult
    mutating func remove(_ subject: Request.Subject) -> Bool {
        // It may be in both.
        let wasNewer = newer.remove(subject)
        let wasOlder = older.remove(subject)
        return wasNewer || wasOlder
    }

    /// A hash table of its own, since Swift's costs a tenth of a request: each subject stands in the first free slot from the
    /// one that it hashes to.
    private struct Half {
        private let multiplier: UInt64
        private var slots = [UInt64](repeating: Half.free, count: 1 << Half.bits)
        /// How many places are not free.
        private(set) var count = 0

        private static let bits = 10
        private static let free: UInt64 = 0
        private static let removed: UInt64 = 1

        init(multiplier: UInt64) {
            self.multiplier = multiplier
        }

        /// Where a subject stands, or could.
        func find(_ subject: Request.Subject) -> (slot: Int, isFound: Bool) {
            let key = key(of: subject)
            var slot = Int(truncatingIfNeeded: key >> (64 - Self.bits))
            // Three quarters are free.
            while slots[slot] != Self.free {
                if slots[slot] == key { return (slot, true) }
                slot = (slot + 1) & (slots.count - 1)
            }
            return (slot, false)
        }

        mutating func put(_ subject: Request.Subject, at slot: Int) {
            slots[slot] = key(of: subject)
            count += 1
        }

        mutating func remove(_ subject: Request.Subject) -> Bool {
            let (slot, isFound) = find(subject)
            if isFound { slots[slot] = Self.removed }
            return isFound
        }

        mutating func removeAll() {
            for slot in slots.indices { slots[slot] = Self.free }
            count = 0
        }

        /// Different for different subjects, but for two of all that are taken for others.
        private func key(of subject: Request.Subject) -> UInt64 {
            let key = subject.rawValue &* multiplier
            return key > Self.removed ? key : key &+ 2
        }
    }
}
