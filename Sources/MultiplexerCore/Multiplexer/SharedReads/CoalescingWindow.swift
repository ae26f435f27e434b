extension Multiplexer {
    /// A short wait for clients that were answered together and are about to ask for the same again.
    ///
    /// Without it the first of them to ask would have the device to itself, and all others the next turn: the device would
    /// work twice for each round. So after an answer that several shared, the same read is held back until as many wait as
    /// were answered, for a small part of the time that the device needs for it.
    struct CoalescingWindow {
        private let read: Request.Read
        private let expected: Int
        /// When it is over in any case.
        let end: Duration

        /// The window is the device's time divided by this.
        private static let part = 4
        private static let longest = Duration.milliseconds(5)

        /// A wait for `expected` clients, after the device needed `time` to answer the read.
        init(_ read: Request.Read, expecting expected: Int, after time: Duration, at now: Duration) {
            self.read = read
            self.expected = expected
            end = now + min(time / Self.part, Self.longest)
        }

        /// Whether `read` is held back while `waiting` clients wait for it.
        func covers(_ read: Request.Read?, waiting: Int, at now: Duration) -> Bool {
            read == self.read && waiting < expected && now < end
        }
    }
}
