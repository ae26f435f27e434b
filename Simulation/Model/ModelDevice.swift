import MultiplexerCore

/// A device and the network before it, which do all that devices in the field do.
struct ModelDevice {
    /// The connection that was asked for and of which something is left.
    private(set) var link: LinkID?
    /// Whether packets vanish on this connection, for as long as it stands.
    private(set) var isBlackHole = false
    /// What was sent since the connection ended.
    private(set) var unsent: [Int] = []
    /// The request that reached the device last.
    private(set) var lastReceived: Message?

    /// The connection has ended, though nobody has noticed.
    private var isDead = false
    /// Requests on this connection.
    private var received = 0
    /// The device reads nothing until then.
    private var busyUntil = Duration.zero
    /// When it carries out what it got last: one after the other, unless it takes long for one.
    private var lastDone = Duration.zero
    private var lastEnd: Duration?

    /// The longest that anything it does takes.
    static let longestFault = Duration.milliseconds(900)

    mutating func connect(_ id: LinkID, in world: inout World) {
        link = id
        isBlackHole = false
        isDead = false
        received = 0
        unsent = []
        let accepted = world.random.milliseconds(0, Scenario.latency)
        if !world.isCalm, let ended = lastEnd, world.now < ended + world.scenario.countsOld {
            world.add(.connected(id), after: accepted)
            world.add(.closed(id), after: accepted)
        } else if !world.isCalm, world.scenario.outage.contains(world.now) {
            if world.scenario.refuses { world.add(.closed(id), after: accepted) }
        } else if world.isStruck(world.scenario.connectFaults) {
            connectBadly(id, accepted, in: &world)
        } else {
            accept(id, accepted, in: &world)
        }
    }

    private func accept(_ id: LinkID, _ accepted: Duration, in world: inout World) {
        world.add(.connected(id), after: accepted)
        if let idle = world.scenario.idleClose { world.add(.idles(id, requests: 0), after: accepted + idle) }
    }

    private mutating func connectBadly(_ id: LinkID, _ accepted: Duration, in world: inout World) {
        switch world.random.below(7) {
        case 0:
            // Refused.
            world.add(.closed(id), after: accepted)
        case 1:
            // Never answered.
            break
        case 2:
            // Accepted and closed at once: the device is full.
            world.add(.connected(id), after: accepted)
            world.add(.closed(id), after: accepted + world.random.milliseconds(0, 5))
        case 3:
            // Accepted, perhaps too late.
            world.add(.connected(id), after: world.random.milliseconds(0, 400))
        case 4:
            becomeBlackHole(id, in: &world)
            accept(id, accepted, in: &world)
        default:
            // Lost at any moment, perhaps while it is to be left alone.
            world.add(.connected(id), after: accepted)
            let end = world.random.chance(50) ? world.scenario.configuration.delayAfterConnect : .milliseconds(300)
            world.add(.closed(id), after: accepted + end / 100 * world.random.below(100))
        }
    }

    /// The cable is pulled: nothing more is heard, or one day that all is over.
    private mutating func becomeBlackHole(_ id: LinkID, in world: inout World) {
        isBlackHole = true
        if world.random.chance(30) { world.add(.closed(id), after: world.random.milliseconds(0, 600)) }
    }

    /// We close the connection.
    func close(_ id: LinkID, in world: inout World) {
        let isSlow = world.isStruck(world.scenario.faults)
        world.add(.closed(id), after: world.random.milliseconds(0, isSlow ? 300 : 3))
    }

    /// Nothing is left of the connection.
    mutating func closed(at now: Duration) {
        link = nil
        lastEnd = now
    }

    /// Whether nothing was asked on this connection after the first `requests`.
    func isIdle(_ id: LinkID, since requests: Int) -> Bool { link == id && received == requests }
}

// MARK: - Requests

extension ModelDevice {
    /// Takes a request, if it gets it, and answers it, in its way.
    mutating func receive(_ message: Message, _ request: Request?, isBroadcast: Bool, in world: inout World) {
        guard let link else { return }
        var message = message
        guard !isDead else { return unsent.append(message.serial) }
        received += 1
        if let idle = world.scenario.idleClose { world.add(.idles(link, requests: received), after: idle) }
        lastReceived = message
        guard !isBlackHole else { return }
        if !world.isCalm, world.scenario.swallowsFirst, received == 1 { return }
        if isBroadcast {
            _ = carryOut(message, within: .milliseconds(Scenario.latency), in: &world)
            // Some take it for a request like others.
            guard world.isStruck(world.scenario.faults / 4) else { return }
            world.add(.says(extra(message), on: link), after: world.random.milliseconds(0, Scenario.latency))
            return
        }
        if !world.isCalm, let subject = request?.subject, world.scenario.hangsUpOn.contains(subject.rawValue) {
            let isMidResponse = world.random.chance(20)
            return world.add(.closed(link, midResponse: isMidResponse), after: world.random.milliseconds(0, 10))
        }
        mangle(&message, in: &world)
        if world.isStruck(world.scenario.noise) {
            var time = Duration.zero
            for _ in 0..<world.scenario.noises {
                time += world.random.milliseconds(0, 60)
                world.add(.noise(1 + world.random.below(5), on: link), after: time)
            }
        }
        if request?.goesAlone == true, world.random.chance(50) {
            // What it hid is answered, too.
            var hidden = extra(message)
            hidden.transactionID = .foreign(UInt16(world.random.below(0x1_0000)))
            world.add(.says(hidden, on: link), after: world.random.milliseconds(0, 80))
        }
        var usual = max(busyUntil - world.now, .zero) + world.random.milliseconds(0, Scenario.latency)
        let isBad = world.isStruck(world.scenario.faults)
        // Or not before it answers, if it does.
        if !message.isFailure, !isBad || world.random.chance(70) {
            usual = max(usual, carryOut(message, within: usual, in: &world))
        }
        if isBad {
            respondBadly(message, on: link, after: usual, in: &world)
        } else {
            respond(to: message, on: link, after: usual, in: &world)
        }
    }

    /// Says something else than what was asked, or under an id of its own.
    private func mangle(_ message: inout Message, in world: inout World) {
        if world.isStruck(world.scenario.mangling) { message.saying = world.random.pick([.wide, .wrong, .surplus]) }
        if let mistake = world.scenario.idMistake, world.isStruck(world.scenario.mistakes) {
            message.transactionID = mistake
        }
    }

    /// Says how long it takes.
    private mutating func carryOut(_ message: Message, within usual: Duration, in world: inout World) -> Duration {
        lastDone = max(lastDone, world.now + usual / 100 * world.random.below(101))
        world.agenda.add(.carriesOut(message), at: lastDone)
        return lastDone - world.now
    }

    private func respond(to message: Message, on link: LinkID, after wait: Duration, in world: inout World) {
        world.add(.says(message, on: link), after: wait)
        if world.isStruck(world.scenario.competition) {
            for _ in 0...world.random.below(8) {
                var foreign = extra(message)
                foreign.transactionID = .foreign(UInt16(world.random.below(0x1_0000)))
                world.add(.says(foreign, on: link), after: wait + world.random.milliseconds(0, 10))
            }
        }
        if world.isStruck(world.scenario.closings) {
            world.add(.closed(link), after: wait + world.random.milliseconds(0, 5))
        }
    }

    private mutating func respondBadly(
        _ message: Message,
        on link: LinkID,
        after usual: Duration,
        in world: inout World
    ) {
        let extraWait = usual + world.random.milliseconds(0, 200)
        switch world.random.below(15) {
        case 0:
            // Lost on the way there or back.
            return
        case 1:
            // Slow, and perhaps too late.
            return world.add(.says(message, on: link), after: world.random.milliseconds(0, 500))
        case 2:
            // Too late.
            let late = world.scenario.configuration.responseTimeout + world.random.milliseconds(0, 200)
            return world.add(.says(message, on: link), after: late)
        case 3:
            // Answered twice.
            world.add(.says(message, on: link), after: extraWait)
        case 4:
            // Of another unit or function, then perhaps the right one.
            var wrong = extra(message)
            wrong.correlation = Correlation(unit: UInt8(8 + world.random.below(2)), function: 1)
            world.add(.says(wrong, on: link), after: usual)
            if world.random.chance(50) { world.add(.says(message, on: link), after: extraWait) }
            return
        case 5:
            // An id of old, perhaps one that is awaited.
            var wrong = extra(message)
            wrong.transactionID = .older(UInt16(1 + world.random.below(20)))
            wrong.correlation = Correlation(rawValue: 7)
            world.add(.says(wrong, on: link), after: extraWait)
        case 6:
            // Something that it says of its own accord.
            var wrong = extra(message)
            wrong.isUnsolicited = true
            world.add(.says(wrong, on: link), after: extraWait)
        case 7:
            // Damaged on the way, where the wire can tell.
            let hasIDs = world.scenario.configuration.carriesTransactionIDs
            let cause: ResponseDamage.Cause = hasIDs ? .length(announced: 9, content: 7) : .checksum
            return world.add(.damages(message, cause, isInStep: !hasIDs, on: link), after: usual)
        case 8:
            // It ends before the request leaves.
            isDead = true
            unsent = [message.serial]
            return world.add(.dies(link), after: world.random.milliseconds(0, 2))
        case 9:
            // It ends in the middle of the answer.
            return world.add(.closed(link, midResponse: true), after: usual)
        case 10:
            // It stops reading for a while.
            busyUntil = world.now + world.random.milliseconds(50, 400)
        case 11:
            becomeBlackHole(link, in: &world)
            return
        case 12:
            // It crosses the answer.
            return world.add(.closed(link), after: world.random.milliseconds(0, Scenario.latency))
        default:
            // Lost, before or after the answer.
            world.add(.closed(link), after: world.random.milliseconds(0, Scenario.latency))
        }
        respond(to: message, on: link, after: usual, in: &world)
    }

    /// A message about a request that is not its answer.
    private func extra(_ message: Message) -> Message {
        var extra = message
        extra.isResponse = false
        return extra
    }
}
