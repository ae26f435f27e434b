import MultiplexerCore

extension Multiplexer.Configuration {
    /// What is older than this says little about a device; and a plain number is seconds, where many mean milliseconds.
    static let longestAge = Duration.seconds(300)

    /// Refuses what no device could be asked with.
    func check(_ problems: inout ConfigurationProblems) {
        problems.refuse(
            "\(.maxInFlight) must be 1 to \(Self.maximumInFlightLimit)",
            if: !(1...Self.maximumInFlightLimit).contains(inFlightLimit)
        )
        if let maximumResponseAge {
            problems.check(try check(maximumResponseAge: maximumResponseAge))
        }
        problems.checkLimits(
            (.connectTimeout, connectTimeout),
            (.timeout, responseTimeout),
            (.queueTimeout, queueTimeout),
            (.drainTimeout, drainTimeout),
            (.idleClose, idleClose),
            (.connectionLifetime, connectionLifetime)
        )
        problems.checkWaits(
            (.delay, delayAfterConnect),
            (.gap, minimumGap),
            (.broadcastDelay, broadcastDelay),
            (.settle, settleTime),
            (.quietTime, quietTime),
            (.linger, linger),
            (.retryDelay, backoff.initial)
        )
        problems.check(try checkBackoff())
    }

    private func checkBackoff() throws(ConfigurationError) {
        guard backoff.maximum >= backoff.initial else {
            throw ConfigurationError(
                """
                \(.retryDelayMax, backoff.maximum.shortText) is shorter than the \(.retryDelay) of \
                \(backoff.initial.shortText): give a longer one, or a shorter \(.retryDelay)
                """
            )
        }
    }

    private func check(maximumResponseAge age: Duration) throws(ConfigurationError) {
        guard age > .zero else {
            throw ConfigurationError(
                "\(.maxAge) must be longer than 0: leave it out, and each answer is read after the request has come"
            )
        }
        guard age <= Self.longestAge else {
            throw ConfigurationError(
                """
                \(.maxAge, age.shortText) is longer than \(Self.longestAge.shortText): for so long nobody would see what the \
                device measures; a plain number is seconds, write ms behind milliseconds
                """
            )
        }
        guard sharesReads else {
            throw ConfigurationError(
                """
                \(.coalesce, false) asks the device for each read, \(.maxAge, age.shortText) does not: leave one of them out
                """
            )
        }
    }

    /// Refuses what makes no difference to a protocol: whoever sets it expects one.
    func check(for spoken: ApplicationProtocol, _ problems: inout ConfigurationProblems) {
        problems.check(try checkInFlightLimit(for: spoken))
        problems.check(try checkQuietTime(for: spoken))
        problems.check(try checkReadSharing(for: spoken))
        problems.check(try checkWritePriority(for: spoken))
    }

    private func checkInFlightLimit(for spoken: ApplicationProtocol) throws(ConfigurationError) {
        guard inFlightLimit == 1 || spoken.framing.carriesTransactionIDs else {
            let wire: Sentence =
                spoken.ignoresTransactionIDs ? "with \(.transactionIDs, "ignored") it" : "\(spoken.name)"
            throw ConfigurationError(
                "\(.maxInFlight, "\(inFlightLimit)"): \(wire) has no transaction ids to tell responses apart"
            )
        }
    }

    private func checkQuietTime(for spoken: ApplicationProtocol) throws(ConfigurationError) {
        guard quietTime == nil || !spoken.framing.carriesTransactionIDs else {
            throw ConfigurationError(
                "\(.quietTime) is of no use to \(spoken.name), whose transaction ids tell a late answer: leave it out"
            )
        }
    }

    private func checkReadSharing(for spoken: ApplicationProtocol) throws(ConfigurationError) {
        let readSharing: Sentence? = !sharesReads ? "\(.coalesce, false)" : maximumResponseAge.map { _ in "\(.maxAge)" }
        if let readSharing, spoken.messages != .modbus {
            throw ConfigurationError(
                """
                \(readSharing) is of no use to \(spoken.name), where no requests share an answer: leave it out, or choose a \
                form of Modbus with \(.applicationProtocol)
                """
            )
        }
    }

    private func checkWritePriority(for spoken: ApplicationProtocol) throws(ConfigurationError) {
        guard sendsWritesFirst else { return }
        switch spoken.messages {
        case .modbus, .http:
            break
        case .iso8583, .opaque:
            throw ConfigurationError(
                """
                \(.writePriority) is of no use to \(spoken.name), where any request may be a write: leave it out, or choose a \
                form of Modbus or http with \(.applicationProtocol)
                """
            )
        }
    }

    /// Refuses times that leave none for a request, whoever they are from.
    func checkTimes(
        for spoken: ApplicationProtocol,
        _ profile: DeviceProfile?,
        _ problems: inout ConfigurationProblems
    ) {
        problems.check(try checkQueueTimeout(profile))
        problems.check(try checkWaits(for: spoken, profile))
        problems.check(try checkLifetime(profile))
    }

    private func checkQueueTimeout(_ profile: DeviceProfile?) throws(ConfigurationError) {
        guard queueTimeout >= responseTimeout else {
            throw ConfigurationError(
                """
                \(.queueTimeout, queueTimeout.shortText) would cut short the \(words(for: .responseTimeout, profile)): give a \
                longer one, or a shorter \(.timeout) too
                """
            )
        }
    }

    /// One of them at a time: a wait that is too long by itself is too long together with others.
    private func checkWaits(for spoken: ApplicationProtocol, _ profile: DeviceProfile?) throws(ConfigurationError) {
        guard minimumGap < queueTimeout else {
            throw ConfigurationError(
                """
                the \(words(for: .minimumGap, profile)) leaves no request in time: it has to be shorter than the \
                \(.queueTimeout) of \(queueTimeout.shortText)
                """
            )
        }
        let quietTime = quietTime ?? spoken.quietTime
        if !spoken.framing.carriesTransactionIDs, quietTime >= queueTimeout {
            throw ConfigurationError(
                """
                the \(.quietTime) of \(quietTime.shortText) leaves no request in time behind one that was not answered: it has \
                to be shorter than the \(.queueTimeout) of \(queueTimeout.shortText)
                """
            )
        }
        let pause = settleTime + delayAfterConnect + minimumGap
        guard pause < queueTimeout else {
            throw ConfigurationError(
                """
                \(.settle), \(.delay) and \(.gap), \(pause.shortText) together, leave no request in time behind a new \
                connection: they have to be shorter than the \(.queueTimeout) of \(queueTimeout.shortText)
                """
            )
        }
    }

    private func checkLifetime(_ profile: DeviceProfile?) throws(ConfigurationError) {
        // Renewal begins with the last quarter of the lifetime.
        if let lifetime = connectionLifetime, lifetime < delayAfterConnect * 2 + .seconds(1) {
            throw ConfigurationError(
                """
                the \(words(for: .connectionLifetime, profile)) leaves no time for requests: it has to be at least 1s longer \
                than twice the \(words(for: .delayAfterConnect, profile))
                """
            )
        }
    }

    /// Such as "'gap' of 50ms (from the profile)".
    private func words(for time: DeviceProfile.Time, _ profile: DeviceProfile?) -> Sentence {
        let value = self[time]
        let isOfProfile = profile?.settings.contains { $0.time == time && $0.value == value } == true
        return "\(time.setting) of \(value?.shortText ?? "off")\(isOfProfile ? " (from the profile)" : "")"
    }
}

extension DeviceProfile.Time {
    /// The setting of which a profile has a value.
    package var setting: Setting {
        switch self {
        case .responseTimeout: .timeout
        case .delayAfterConnect: .delay
        case .minimumGap: .gap
        case .settleTime: .settle
        case .idleClose: .idleClose
        case .connectionLifetime: .connectionLifetime
        }
    }
}

extension ConfigurationProblems {
    /// Refuses limits that would end everything at once; nil is off.
    mutating func checkLimits(_ limits: (Setting, Duration?)...) {
        for (setting, limit) in limits {
            refuse("\(setting) must be longer than 0", if: limit.map { $0 <= .zero } == true)
        }
    }

    /// Refuses waits that would have to be over before they begin; nil is none.
    mutating func checkWaits(_ waits: (Setting, Duration?)...) {
        for (setting, wait) in waits {
            refuse("\(setting) must not be shorter than 0", if: wait.map { $0 < .zero } == true)
        }
    }
}
