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

        /// The part of the device's time.
        private static let part = 4
        private static let longest = Duration.milliseconds(5)

        /// A wait for so many clients, after the device needed so long to answer the read.
        init(_ read: Request.Read, answered expected: Int, after time: Duration, at now: Duration) {
            self.read = read
            self.expected = expected
            end = now + min(time / Self.part, Self.longest)
        }

        /// Whether a read is held back while so many clients wait.
        func holds(_ read: Request.Read?, waiting: Int, at now: Duration) -> Bool {
            read == self.read && waiting < expected && now < end
        }
    }
}
