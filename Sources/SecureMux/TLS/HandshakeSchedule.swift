import MultiplexerCore
import NIOCore

/// Which handshakes take a step now, a limited number at a time, and how many of them there is memory for.
///
/// ```
///  hello incomplete ────────▶ begins ──────────────▶ under way ◀──────▶ takes a step ───▶ complete, refused
///  (≤ helloMemory of all)     (waits for room,       (≤ places)         (≤ width)
///                              then for its turn)
/// ```
struct HandshakeSchedule<Member: Hashable> {
    private let width: Int
    /// Those that are under way and can go on, and those that could begin.
    private var turns = HandshakeTurns<IPAddress?, Member>()
    private var arrivals = HandshakeTurns<IPAddress?, Member>()
    private var isArrivalNext = false
    private var room: HandshakeRoom<IPAddress?, Member>
    private var hellos: MemoryBudget<Member>
    /// Those that wait for their turn.
    private var waiting: Set<Member> = []
    /// Those that take a step, and those of them whose handshake is over meanwhile: their memory is not free yet.
    private var stepping: Set<Member> = []
    private var leaving: Set<Member> = []

    /// At most `width` steps at a time, of handshakes in `places` places, each of which is left alone for `time`.
    init(width: Int, places: Int, time: TimeAmount, helloMemory: Int) {
        self.width = width
        room = HandshakeRoom(places: places, time: time)
        hellos = MemoryBudget(limit: helloMemory)
    }

    /// How many wait for their turn.
    var waitingCount: Int { waiting.count }

    /// How many have a place.
    var underWay: Int { room.count + leaving.count }

    /// What incomplete hellos take.
    var reservedMemory: Int { hellos.reserved }

    private var isFull: Bool { room.isFull(beside: leaving.count) }

    /// An incomplete hello of `member` takes `bytes` from now on.
    ///
    /// - Returns: The members whose handshakes have to end so that it fits.
    mutating func reserve(_ bytes: Int, by member: Member, from address: IPAddress) -> [Member] {
        hellos.reserve(bytes, by: member, from: address)
    }

    /// A handshake could begin, and waits for a place and its turn.
    mutating func begin(_ member: Member, of network: IPAddress?) {
        waiting.insert(member)
        arrivals.add(member, of: network)
    }

    /// One that is under way could go on, and waits for its turn.
    mutating func proceed(_ member: Member, of network: IPAddress?) {
        waiting.insert(member)
        turns.add(member, of: network)
    }

    /// Lets the next handshake take a step; nil when as many as may do, or none can.
    ///
    /// Those that are under way and those that begin alternate: neither keeps the others waiting.
    mutating func next(at now: NIODeadline) -> Member? {
        guard stepping.count < width else { return nil }
        let mayBegin = !isFull && !arrivals.isEmpty
        isArrivalNext.toggle()
        guard mayBegin, isArrivalNext || turns.isEmpty, let (member, network) = arrivals.next() else {
            return turns.next().map { start($0.member) }
        }
        // OpenSSL gets its hello.
        hellos.left(member)
        room.enter(member, of: network, at: now)
        return start(member)
    }

    private mutating func start(_ member: Member) -> Member {
        waiting.remove(member)
        stepping.insert(member)
        return member
    }

    /// A step is over.
    mutating func stepFinished(by member: Member) {
        stepping.remove(member)
        leaving.remove(member)
    }

    /// A handshake is over, whatever has come of it.
    mutating func leave(_ member: Member, of network: IPAddress?) {
        hellos.left(member)
        if waiting.remove(member) != nil {
            turns.remove(member, of: network)
            arrivals.remove(member, of: network)
        }
        guard room.leave(member, of: network), stepping.contains(member) else { return }
        leaving.insert(member)
    }

    /// The member whose handshake has to end so that another one can begin, and from when on; nil while there is room or
    /// nobody waits for it.
    var nextToMakeRoom: (member: Member, from: NIODeadline)? {
        // Whoever leaves makes room as soon as its step is over.
        isFull && leaving.isEmpty && !arrivals.isEmpty ? room.next : nil
    }
}

extension HandshakeSchedule: Sendable where Member: Sendable {}
