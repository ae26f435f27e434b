extension Multiplexer {
    /// The cache of responses to reads, which are given again while they are young enough and nothing was written since.
    ///
    /// The driver has the responses themselves, in places that are used again and again.
    struct ResponseCache {
        /// How old a response may be that is given again.
        var maximumAge: Duration
        private var places: [Request.Read: Int] = [:]
        private var kept: [Kept] = []
        private var oldest = 0

        private struct Kept {
            var read: Request.Read
            var generation: UInt64
            var time: Duration
        }

        /// More than the blocks that are polled of any device; then the oldest goes.
        static let limit = 256

        init(maximumAge: Duration) {
            self.maximumAge = maximumAge
        }

        /// Where a response to this read is kept and how old it is, if it may be given again.
        func find(_ read: Request.Read, generation: UInt64, at now: Duration) -> (place: Int, age: Duration)? {
            guard let place = places[read], kept[place].generation == generation else { return nil }
            let age = now - kept[place].time
            return age <= maximumAge ? (place, age) : nil
        }

        /// Where to keep a response that has just come.
        mutating func keep(_ read: Request.Read, generation: UInt64, at now: Duration) -> Int {
            let entry = Kept(read: read, generation: generation, time: now)
            if let place = places[read] {
                kept[place] = entry
                return place
            }
            guard kept.count == Self.limit else {
                places[read] = kept.count
                kept.append(entry)
                return kept.count - 1
            }
            let place = oldest
            oldest = (oldest + 1) % Self.limit
            places[kept[place].read] = nil
            places[read] = place
            kept[place] = entry
            return place
        }
    }
}
