extension Multiplexer {
    /// A request that was not sent yet, or is to be sent again.
    struct Waiting {
        var id: RequestID
        /// Its place in the order in which requests came.
        var number: Int
        var request: Request
        var deadline: Duration
        /// How often its unit had been written to when it came.
        var generation: UInt64
        /// Whether it was sent before, to no avail.
        var isRepeat = false
        /// Whether any byte of it may have left.
        var mayHaveLeft = false
    }
}
