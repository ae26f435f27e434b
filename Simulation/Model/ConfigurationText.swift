import MultiplexerCore

extension Multiplexer.Configuration {
    /// The settings that are not the defaults.
    var text: String {
        let usual = Self()
        var words: [String] = []
        func say(_ name: String, _ isUsual: Bool, _ value: String) {
            if !isUsual { words.append("\(name) \(value)") }
        }
        func say(_ name: String, _ key: KeyPath<Self, Duration>) {
            say(name, self[keyPath: key] == usual[keyPath: key], self[keyPath: key].text)
        }
        say("transaction ids", carriesTransactionIDs, "none")
        say("in flight", effectiveInFlightLimit == 1, "\(effectiveInFlightLimit)")
        say("waiting", waitingLimit == usual.waitingLimit, "\(waitingLimit)")
        say("sharing", sharesReads, "none")
        say("maximum response age", maximumResponseAge == nil, maximumResponseAge?.text ?? "none")
        say("writes", !sendsWritesFirst, "first")
        say("response timeout", \.responseTimeout)
        say("queue timeout", \.queueTimeout)
        say("connect timeout", \.connectTimeout)
        say("drain timeout", \.drainTimeout)
        say("broadcast delay", \.broadcastDelay)
        say("delay after connect", \.delayAfterConnect)
        say("gap", \.minimumGap)
        say("settle time", \.settleTime)
        say("quiet time", quietTime == nil, quietTime?.text ?? "")
        say("linger", \.linger)
        say("idle close", idleClose == nil, idleClose?.text ?? "never")
        say("maximum age", connectionLifetime == nil, connectionLifetime?.text ?? "any")
        say("backoff", backoff == usual.backoff, "\(backoff.initial.text) to \(backoff.maximum.text)")
        return words.isEmpty ? "all settings as usual" : words.joined(separator: ", ")
    }
}
