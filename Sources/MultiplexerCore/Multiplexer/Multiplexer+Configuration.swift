extension Multiplexer {
    /// Has other times and limits hold from now on.
    ///
    /// What is under way keeps its deadlines: requests that wait or are in flight, an attempt to connect, a backoff, a drain.
    /// What is in flight beyond a smaller limit stays there until it is answered.
    mutating func replaceConfiguration(
        by other: Configuration,
        at now: Duration,
        into actions: inout [Action]
    ) {
        var other = other
        other.carriesTransactionIDs = configuration.carriesTransactionIDs
        configuration = other
        inFlightLimit = other.effectiveInFlightLimit
        link.replaceConfiguration(by: other, at: now)
        breakers.backoff = other.backoff
        replaceCache()
        let (paused, resumed) = clients.replaceConfiguration(by: other)
        for client in paused { actions.append(.pauseReading(client)) }
        for client in resumed { actions.append(.resumeReading(client)) }
        // Where what is asked goes on to wait for something that may be asked for no longer.
    }

    /// What is kept stays, as far as it may be given again.
    private mutating func replaceCache() {
        guard configuration.sharesReads, let age = configuration.maximumResponseAge else {
            cache = nil
            if !configuration.sharesReads { coalescingWindow = nil }
            return
        }
        if cache == nil { cache = ResponseCache(maximumAge: age) } else { cache?.maximumAge = age }
    }
}
