import MultiplexerCore

// Other times and limits, in the midst of it.
extension Oracle {
    /// What is under way keeps its deadlines; all else goes by what holds from now on.
    mutating func replaceConfiguration(by other: Multiplexer.Configuration, at now: Duration) {
        let before = configuration
        configuration = other
        configuration.carriesTransactionIDs = before.carriesTransactionIDs
        if other.minimumGap > before.minimumGap {
            gap.push(to: now + other.minimumGap)
        } else {
            gap.least = min(gap.least, now + other.minimumGap)
            gap.most = min(gap.most, now + other.minimumGap)
        }
        if !other.sharesReads { coalescingWindow = nil }
        if !other.sharesReads || other.maximumResponseAge == nil { cached = [:] }
        // All who wait stand in other lines: whose turn it is begins anew.
        if other.sendsWritesFirst != before.sendsWritesFirst {
            (turnBefore, firstTurns) = (nil, [])
            for client in present { clients[client]?.lastSent = [:] }
        }
        let limit = other.queueTimeout / 4
        learnedSettleTimes.ours = min(learnedSettleTimes.ours, limit)
        learnedSettleTimes.theirs = min(learnedSettleTimes.theirs, limit)
        for client in present {
            // Whoever is read and has more waiting than may is paused, and may bring what was read already.
            let waiting = clients[client]?.waiting.count ?? 0
            clients[client]?.mostWaiting = waiting > other.waitingLimit ? waiting + overrun : 0
        }
    }
}
