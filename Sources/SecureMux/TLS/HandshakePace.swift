import MultiplexerCore
package import NIOCore

/// Lets the TLS handshakes of one event loop go on a step at a time, so that everybody else is served between them, and no
/// more of them at a time than there is memory for.
///
/// A step takes the loop longer than many requests. After each of them it looks at its sockets, and while clients wait
/// for answers, handshakes wait for a moment too: a device that answers fast is not kept from it.
///
/// ```
///  hello incomplete ────────▶ begins ──────────────▶ under way ─────────▶ complete, refused
///  (≤ helloMemory of all)     (waits for room,       (≤ places)
///                              then for its turn)
/// ```
package final class HandshakePace {
    private let eventLoop: any EventLoop
    /// Those that are under way and can go on, and those that could begin.
    private var turns = HandshakeTurns<IPAddress?, ObjectIdentifier>()
    private var arrivals = HandshakeTurns<IPAddress?, ObjectIdentifier>()
    private var isArrivalNext = false
    private var steps: [ObjectIdentifier: () -> Void] = [:]
    /// Those that have room, wait for it, or hold a part of a hello.
    private var guests: [ObjectIdentifier: Guest] = [:]
    private var room: HandshakeRoom<IPAddress?, ObjectIdentifier>
    private var hellos: MessageMemory<ObjectIdentifier>
    private let returned: MemoryReturn
    private var isPausing = false
    private var isWaitingForRoom = false
    /// How many clients wait for an answer.
    private var awaited = 0
    /// For so many pauses after a step the next one waits for answers, at most; and how many of them are left.
    private var patience = HandshakePace.mostPauses
    private var pausesLeft = 0
    /// A client has got an answer since the last step.
    private var hasAnswered = false

    private struct Guest {
        let address: IPAddress?
        /// Lets go of everything.
        let giveUp: () -> Void
    }

    /// A task that is due at once would run before the loop looks at its sockets again; and a device on the same processor
    /// needs a moment of it to answer.
    static let pause = TimeAmount.microseconds(30)
    /// Longer than a fast device takes to answer, and no longer than people notice.
    static let mostPauses = 32
    /// How many handshakes may be under way: OpenSSL takes 50 KiB for each.
    static let places = 400
    /// How long each of them is left alone: a client at the other end of the world answers sooner, and so does one of a crowd
    /// that has one slow processor.
    static let time = TimeAmount.seconds(3)
    /// What incomplete hellos may take together: 4,096 of the usual size, or 1,024 of the largest.
    static let helloMemory = 16 << 20

    /// The pace of an event loop on which nobody shakes hands yet.
    package convenience init(_ eventLoop: any EventLoop) {
        self.init(eventLoop, places: Self.places, helloMemory: Self.helloMemory)
    }

    init(_ eventLoop: any EventLoop, places: Int, helloMemory: Int = HandshakePace.helloMemory) {
        self.eventLoop = eventLoop
        room = HandshakeRoom(places: places, time: Self.time)
        hellos = MessageMemory(limit: helloMemory)
        returned = MemoryReturn(eventLoop)
    }

    /// How many wait.
    var waiting: Int { steps.count }

    /// How many are under way.
    var underWay: Int { room.count }

    /// What incomplete hellos take.
    var heldMemory: Int { hellos.held }

    /// A client's incomplete hello takes so many bytes; `giveUp` has it let go of them, and of what follows.
    func hold(_ bytes: Int, _ handler: TLSHandler, from peer: SocketAddress?, giveUp: @escaping () -> Void) {
        guard let address = peer.flatMap({ IPAddress($0) }) else { return }
        let member = ObjectIdentifier(handler)
        if guests[member] == nil { guests[member] = Guest(address: address.network, giveUp: giveUp) }
        for member in hellos.hold(bytes, by: member, from: address) { guests[member]?.giveUp() }
    }

    /// Takes the first step of `handler`, at once or in its turn once there is room for it; says whether it has to wait.
    ///
    /// `giveUp` has it make room for others.
    func begin(
        _ handler: TLSHandler,
        from peer: SocketAddress?,
        giveUp: @escaping () -> Void,
        step: @escaping () -> Void
    ) -> Bool {
        let (member, address) = (ObjectIdentifier(handler), peer.flatMap { IPAddress($0)?.network })
        guests[member] = Guest(address: address, giveUp: giveUp)
        guard isPausing || !steps.isEmpty || room.isFull else {
            enter(member, of: address)
            take(step)
            return false
        }
        arrivals.add(member, of: address)
        steps[member] = step
        goOn()
        return true
    }

    /// Takes a step of `handler`, which is under way, at once or when it is its turn; says whether it has to wait.
    func proceed(_ handler: TLSHandler, from peer: SocketAddress?, step: @escaping () -> Void) -> Bool {
        guard isPausing || !steps.isEmpty else {
            take(step)
            return false
        }
        turns.add(ObjectIdentifier(handler), of: peer.flatMap { IPAddress($0)?.network })
        steps[ObjectIdentifier(handler)] = step
        goOn()
        return true
    }

    /// The handshake of `handler` is over, whatever has come of it.
    func leave(_ handler: TLSHandler) {
        let member = ObjectIdentifier(handler)
        guard let guest = guests.removeValue(forKey: member) else { return }
        hellos.left(member)
        room.leave(member, of: guest.address)
        if steps.removeValue(forKey: member) != nil {
            turns.remove(member, of: guest.address)
            arrivals.remove(member, of: guest.address)
        }
        if !steps.isEmpty { goOn() }
    }

    /// A connection is closed.
    func closed() { returned.connectionClosed() }

    /// A client has asked something.
    func asked() { awaited += 1 }

    /// A client that had asked has got an answer, or will get none.
    func answered() {
        awaited -= 1
        hasAnswered = true
    }

    /// Takes a step, and lets those that come next wait for a moment.
    private func take(_ step: () -> Void) {
        pausesLeft = patience
        hasAnswered = false
        // Whoever comes while the step is taken waits; the pause begins behind it.
        isPausing = true
        step()
        startPause()
    }

    private func goOn() {
        if !isPausing { startPause() }
    }

    private func startPause() {
        isPausing = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.endPause() }
    }

    private func endPause() {
        if awaited > 0, pausesLeft > 0 {
            pausesLeft -= 1
            return startPause()
        }
        // To clients of a slow device a step more is nothing, and handshakes need not wait for it in vain.
        patience = hasAnswered || awaited == 0 ? Self.mostPauses : patience / 2
        guard let member = nextMember(), let step = steps.removeValue(forKey: member) else {
            isPausing = false
            return
        }
        take(step)
    }

    /// Whose turn it is.
    ///
    /// Those that are under way and those that begin alternate: neither keeps the others waiting.
    private func nextMember() -> ObjectIdentifier? {
        makeRoom()
        isArrivalNext.toggle()
        let mayBegin = !room.isFull && !arrivals.isEmpty
        guard mayBegin, isArrivalNext || turns.isEmpty, let (member, address) = arrivals.next() else {
            return turns.next()?.member
        }
        enter(member, of: address)
        return member
    }

    private func enter(_ member: ObjectIdentifier, of address: IPAddress?) {
        // OpenSSL has its hello now.
        hellos.left(member)
        room.enter(member, of: address, at: eventLoop.now)
    }

    /// Has a handshake that had its time make room for one that is to begin.
    private func makeRoom() {
        guard room.isFull, !arrivals.isEmpty, let (member, from) = room.next else { return }
        if from <= eventLoop.now {
            guests[member]?.giveUp()
        } else if !isWaitingForRoom {
            isWaitingForRoom = true
            eventLoop.assumeIsolated().scheduleTask(deadline: from) {
                self.isWaitingForRoom = false
                self.goOn()
            }
        }
    }
}

@available(*, unavailable)
extension HandshakePace: Sendable {}
