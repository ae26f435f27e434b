import MultiplexerCore
import NIOCore

/// The TLS handshakes of one event loop: has their steps taken outside the loop, in the order of ``HandshakeSchedule``.
///
/// The loop serves everybody else meanwhile, and a handshake that is complete never leaves it again.
package final class Handshakes {
    private let eventLoop: any EventLoop
    private let runner: any HandshakeRunner
    private var schedule: HandshakeSchedule<ObjectIdentifier>
    private var waiting: [ObjectIdentifier: Turn] = [:]
    /// Those that take a step; kept, so that no other one can be taken for them.
    private var stepping: [ObjectIdentifier: Turn] = [:]
    /// Those that have room, wait for it, or hold a part of a hello.
    private var guests: [ObjectIdentifier: Guest] = [:]
    private let returned: MemoryReturn
    /// Sessions that are not needed any more.
    private var discarded: [(context: TLSContext, session: TLSSession)] = []
    private var isGoingOn = false
    private var isWaitingForRoom = false

    /// What is done when a handshake's turn has come.
    struct Turn {
        let handler: TLSHandler
        /// Hands its session over.
        let step: () -> HandshakeStep?
        /// Gets it back.
        let finished: (HandshakeStep) -> Void
    }

    private struct Guest {
        let network: IPAddress?
        /// Lets go of everything.
        let giveUp: () -> Void
    }

    /// How many handshakes may be under way: OpenSSL takes 50 KiB for each.
    static let places = 400
    /// How long each of them is left alone: a client at the other end of the world answers sooner, and so does one of a crowd
    /// that has one slow processor.
    static let time = TimeAmount.seconds(3)
    /// What incomplete hellos may take together: 4,096 of the usual size, or 1,024 of the largest.
    static let helloMemory = 16 << 20

    /// Those of an event loop on which nobody shakes hands yet.
    init(
        _ eventLoop: any EventLoop,
        runner: any HandshakeRunner,
        places: Int = Handshakes.places,
        helloMemory: Int = Handshakes.helloMemory
    ) {
        self.eventLoop = eventLoop
        self.runner = runner
        schedule = HandshakeSchedule(width: runner.width, places: places, time: Self.time, helloMemory: helloMemory)
        returned = MemoryReturn(eventLoop)
    }

    /// How many wait for their turn.
    var waitingCount: Int { schedule.waitingCount }

    /// How many have a place.
    var underWay: Int { schedule.underWay }

    /// What incomplete hellos take.
    var reservedMemory: Int { schedule.reservedMemory }

    /// A client's incomplete hello takes `bytes`; `giveUp` has it let go of them, and of what follows.
    func reserve(_ bytes: Int, _ handler: TLSHandler, from peer: SocketAddress?, giveUp: @escaping () -> Void) {
        guard let address = peer.flatMap({ IPAddress($0) }) else { return }
        let member = ObjectIdentifier(handler)
        if guests[member] == nil { guests[member] = Guest(network: address.network, giveUp: giveUp) }
        for member in schedule.reserve(bytes, by: member, from: address) { guests[member]?.giveUp() }
    }

    /// Has the first step of a handshake taken when there is room for it and its turn has come.
    ///
    /// `giveUp` has it make room for others.
    func begin(_ turn: Turn, from peer: SocketAddress?, giveUp: @escaping () -> Void) {
        let (member, network) = (ObjectIdentifier(turn.handler), peer.flatMap { IPAddress($0)?.network })
        guests[member] = Guest(network: network, giveUp: giveUp)
        waiting[member] = turn
        schedule.begin(member, of: network)
        goOn()
    }

    /// Has another step of a handshake taken that is under way, when its turn has come.
    func proceed(_ turn: Turn) {
        let member = ObjectIdentifier(turn.handler)
        guard let guest = guests[member] else { return }
        waiting[member] = turn
        schedule.proceed(member, of: guest.network)
        goOn()
    }

    /// The handshake of `handler` is over, whatever has come of it; what its step brings, if it takes one, is dropped.
    func leave(_ handler: TLSHandler) {
        let member = ObjectIdentifier(handler)
        guard let guest = guests.removeValue(forKey: member) else { return }
        waiting[member] = nil
        schedule.leave(member, of: guest.network)
        goOn()
    }

    /// A session is not needed any more: whoever has allocated its memory is to free it, too (``HandshakeStep``).
    func discard(_ session: TLSSession, _ context: TLSContext) {
        discarded.append((context, session))
        guard discarded.count == 1 else { return }
        // Not now: whoever says so may still be at work with it.
        eventLoop.assumeIsolated().execute { self.freeDiscarded() }
    }

    private func freeDiscarded() {
        var steps: [HandshakeStep] = []
        for index in discarded.indices where isKnownUniquelyReferenced(&discarded[index].session) {
            steps.append(HandshakeStep(discarded[index].context, discarded[index].session, receiving: ByteBuffer()))
        }
        discarded = []
        if !steps.isEmpty { runner.free(steps) }
    }

    /// A connection is closed.
    func closed() { returned.connectionClosed() }

    private func goOn() {
        // Whoever is told something here may leave, or make others leave.
        guard !isGoingOn else { return }
        isGoingOn = true
        defer { isGoingOn = false }
        makeRoom()
        while let member = schedule.next(at: eventLoop.now) {
            begin(member)
            makeRoom()
        }
    }

    private func begin(_ member: ObjectIdentifier) {
        guard let turn = waiting.removeValue(forKey: member), let step = turn.step() else {
            return schedule.stepFinished(by: member)
        }
        stepping[member] = turn
        let (eventLoop, handshakes) = (eventLoop, NIOLoopBound(self, eventLoop: eventLoop))
        runner.run(step) { eventLoop.execute { handshakes.value.finished(step, by: member) } }
    }

    private func finished(_ step: HandshakeStep, by member: ObjectIdentifier) {
        let turn = stepping.removeValue(forKey: member)
        schedule.stepFinished(by: member)
        // The next one first: the loop may have more to do now than to start it.
        goOn()
        turn?.finished(step)
    }

    /// Has a handshake that had its time make room for one that is to begin.
    private func makeRoom() {
        while let (member, from) = schedule.nextToMakeRoom {
            guard from <= eventLoop.now, let guest = guests[member] else { return awaitRoom(from) }
            guest.giveUp()
            // Whoever has let go is a guest no longer.
            guard guests[member] == nil else { return }
        }
    }

    private func awaitRoom(_ time: NIODeadline) {
        guard !isWaitingForRoom else { return }
        isWaitingForRoom = true
        eventLoop.assumeIsolated().scheduleTask(deadline: time) {
            self.isWaitingForRoom = false
            self.goOn()
        }
    }
}

@available(*, unavailable)
extension Handshakes: Sendable {}
