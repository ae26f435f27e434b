extension Multiplexer {
    /// The cache of responses to reads, which are given again while they are young enough and nothing was written since.
    ///
    /// The driver has the responses themselves, in slots that are used again and again.
    struct ResponseCache {
        /// How old a response may be that is given again.
        var maximumAge: Duration
        private var slots: [Request.Read: Int] = [:]
        private var entries: [Entry] = []
        private var oldest = 0

        private struct Entry {
            var read: Request.Read
            var generation: UInt64
            var time: Duration
        }

        /// More than the blocks that are polled of any device; then the oldest goes.
        static let limit = 256

        init(maximumAge: Duration) {
            self.maximumAge = maximumAge
        }

        /// Where a response to this read is and how old it is, if it may be given again.
        func find(_ read: Request.Read, generation: UInt64, at now: Duration) -> (slot: Int, age: Duration)? {
            guard let slot = slots[read], entries[slot].generation == generation else { return nil }
            let age = now - entries[slot].time
            return age <= maximumAge ? (slot, age) : nil
        }

        /// Where to keep a response that has just come.
        mutating func insert(_ read: Request.Read, generation: UInt64, at now: Duration) -> Int {
            let entry = Entry(read: read, generation: generation, time: now)
            if let slot = slots[read] {
                entries[slot] = entry
                return slot
            }
            guard entries.count == Self.limit else {
                slots[read] = entries.count
                entries.append(entry)
                return entries.count - 1
            }
            let slot = oldest
            oldest = (oldest + 1) % Self.limit
            slots[entries[slot].read] = nil
            slots[read] = slot
            entries[slot] = entry
            return slot
        }
    }
}
