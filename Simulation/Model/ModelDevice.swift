import MultiplexerCore

/// A device and the network before it, which do all that devices in the field do.
struct ModelDevice {
    /// The connection that was asked for and of which something is left.
    var link: LinkID?
    /// What answers the request that was received last.
    private(set) var lastReceived: Response?
    /// Whether packets vanish on this connection, for as long as it stands.
    private var isBlackHole = false

    static let longestClosing = Duration.milliseconds(300)

    mutating func connect(
        _ id: LinkID,
        _ scenario: Scenario,
        isCalm: Bool,
        at now: Duration,
        _ agenda: inout Agenda,
        _ random: inout SplitMix64
    ) {
        link = id
        isBlackHole = false
        let accepted = now + random.milliseconds(0, Scenario.latency)
        guard !isCalm, random.chance(scenario.faults) else {
            agenda.add(.connected(id), at: accepted)
            return
        }
        switch random.below(6) {
        case 0:
            // Refused.
            agenda.add(.closed(id), at: accepted)
        case 1:
            // Never answered.
            break
        case 2:
            // Accepted and closed at once: the device is full.
            agenda.add(.connected(id), at: accepted)
            agenda.add(.closed(id), at: accepted + random.milliseconds(0, 5))
        case 3:
            // Accepted, perhaps too late.
            agenda.add(.connected(id), at: now + random.milliseconds(0, 400))
        case 4:
            agenda.add(.connected(id), at: accepted)
            isBlackHole = true
        default:
            // Lost at any moment.
            agenda.add(.connected(id), at: accepted)
            agenda.add(.closed(id), at: accepted + random.milliseconds(0, 300))
        }
    }

    mutating func close(
        _ id: LinkID,
        _ scenario: Scenario,
        isCalm: Bool,
        at now: Duration,
        _ agenda: inout Agenda,
        _ random: inout SplitMix64
    ) {
        let isSlow = !isCalm && random.chance(scenario.faults)
        agenda.add(.closed(id), at: now + (isSlow ? random.milliseconds(0, 300) : random.milliseconds(0, 3)))
    }

    /// Takes a broadcast, and perhaps answers it as if it were none.
    func receiveBroadcast(
        _ response: Response,
        _ scenario: Scenario,
        isCalm: Bool,
        at now: Duration,
        _ agenda: inout Agenda,
        _ random: inout SplitMix64
    ) {
        guard let link, !isCalm, random.chance(scenario.faults / 4) else { return }
        let answer = Answer(link: link, response: response, serial: nil, isExtra: true)
        agenda.add(.answers(answer), at: now + random.milliseconds(0, Scenario.latency))
    }

    /// Takes the request that `response` answers.
    mutating func receive(
        _ response: Response,
        _ serial: Int,
        _ scenario: Scenario,
        isCalm: Bool,
        at now: Duration,
        _ agenda: inout Agenda,
        _ random: inout SplitMix64
    ) {
        lastReceived = response
        guard let link, !isBlackHole else { return }
        let answer = Answer(link: link, response: response, serial: serial)
        let usual = now + random.milliseconds(0, Scenario.latency)
        guard !isCalm, random.chance(scenario.faults) else {
            agenda.add(.answers(answer), at: usual)
            return
        }
        let extra = usual + random.milliseconds(0, 200)
        var wrong = response
        switch random.below(10) {
        case 9:
            // Damaged on the way, where the wire can tell.
            agenda.add(
                scenario.configuration.carriesTransactionIDs ? .answers(answer) : .damagedAnswer(on: link),
                at: usual
            )
            return
        case 8:
            // Something that it says of its own accord.
            wrong.isUnsolicited = true
            agenda.add(.answers(Answer(link: link, response: wrong, serial: nil, isExtra: true)), at: extra)
        case 0:
            // Silent.
            return
        case 1:
            // Slow, and perhaps too late.
            agenda.add(.answers(answer), at: now + random.milliseconds(0, 500))
            return
        case 2:
            // Too late.
            agenda.add(.answers(answer), at: now + scenario.configuration.responseTimeout + random.milliseconds(0, 200))
            return
        case 3:
            // Answered twice.
            agenda.add(.answers(Answer(link: link, response: response, serial: serial, isExtra: true)), at: extra)
        case 4:
            // Of another unit or function, then perhaps the right one.
            wrong.correlation = Correlation(rawValue: response.correlation.rawValue + 1)
            agenda.add(.answers(Answer(link: link, response: wrong, serial: nil)), at: usual)
            if random.chance(50) { agenda.add(.answers(answer), at: extra) }
            return
        case 5:
            // Something that nobody asked for.
            wrong.transactionID = 0x8000 | UInt16(truncatingIfNeeded: random.below(0x8000))
            agenda.add(.answers(Answer(link: link, response: wrong, serial: nil, isExtra: true)), at: extra)
        case 6:
            // An id of old.
            wrong.transactionID = response.transactionID &- UInt16(1 + random.below(20))
            wrong.correlation = Correlation(rawValue: 7)
            agenda.add(.answers(Answer(link: link, response: wrong, serial: nil, isExtra: true)), at: extra)
        default:
            // Lost, before or after the answer.
            agenda.add(.closed(link), at: now + random.milliseconds(0, Scenario.latency))
        }
        agenda.add(.answers(answer), at: usual)
    }
}
