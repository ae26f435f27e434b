extension Multiplexer {
    /// Finds the clients whose next request is a given read.
    ///
    /// A hash table of lists, and not a dictionary: two look-ups a request are to cost nothing next to the request itself.
    struct ReadIndex {
        private var nodes = LinkedLists()
        private var buckets: [LinkedLists.List]
        /// What each member is found under.
        private var keys: [Key?] = []

        /// What must be equal for two reads to share an answer.
        struct Key: Equatable {
            var read: Request.Read
            /// How often the unit had been written to when the read came: between reads with a write between them stands a barrier.
            var generation: UInt64
        }

        init() {
            buckets = Array(repeating: LinkedLists.List(), count: 16)
        }

        /// Adds a member that is not in it.
        mutating func insert(_ member: Int, under key: Key) {
            while keys.count <= member { keys.append(nil) }
            if keys.count > buckets.count { grow() }
            keys[member] = key
            nodes.append(member, to: &buckets[bucket(of: key)])
        }

        /// Removes a member, if it is in it.
        mutating func remove(_ member: Int) {
            guard member < keys.count, let key = keys[member] else { return }
            keys[member] = nil
            nodes.remove(member, from: &buckets[bucket(of: key)])
        }

        /// Whether a member is in it under `key`.
        func contains(_ member: Int, under key: Key) -> Bool { member < keys.count && keys[member] == key }

        /// The member that has been in it under `key` for the longest time.
        func first(under key: Key) -> Int? {
            var member = buckets[bucket(of: key)].first
            while let found = member, keys[found] != key { member = nodes.next(after: found) }
            return member
        }

        private func bucket(of key: Key) -> Int {
            // Fibonacci hashing: the product's upper bits depend on all of the key's.
            let mixed = (key.read.rawValue ^ key.generation &* 0xD6E8_FEB8_6659_FD93) &* 0x9E37_79B9_7F4A_7C15
            return Int(truncatingIfNeeded: mixed >> 32) & (buckets.count - 1)
        }

        private mutating func grow() {
            buckets = Array(repeating: LinkedLists.List(), count: buckets.count * 2)
            nodes = LinkedLists()
            for (member, key) in keys.enumerated() {
                if let key { nodes.append(member, to: &buckets[bucket(of: key)]) }
            }
        }
    }
}
