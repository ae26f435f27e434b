import DequeModule
import NIOCore

/// Which TLS handshakes are under way, as many as memory is set aside for, and who makes room when all of it is taken.
///
/// That is the one that has lasted longest, of the address that has the most, once it had its time: a client that begins and
/// then says nothing keeps nobody out.
struct HandshakeRoom<Address: Hashable, Member: Hashable> {
    private let places: Int
    private let time: TimeAmount
    private var members: [Address: Deque<(member: Member, since: NIODeadline)>] = [:]
    private(set) var count = 0

    /// Room for `places` handshakes, each of which is left alone for `time`.
    init(places: Int, time: TimeAmount) {
        self.places = places
        self.time = time
    }

    /// Whether nobody can come in before somebody leaves, where `others` take room in addition.
    func isFull(beside others: Int = 0) -> Bool { count + others >= places }

    /// Somebody comes in.
    mutating func enter(_ member: Member, of address: Address, at now: NIODeadline) {
        members[address, default: []].append((member, now))
        count += 1
    }

    /// A member leaves.
    ///
    /// - Returns: Whether it was there.
    @discardableResult
    mutating func leave(_ member: Member, of address: Address) -> Bool {
        guard let index = members[address]?.firstIndex(where: { $0.member == member }) else { return false }
        members[address]?.remove(at: index)
        if members[address]?.isEmpty == true { members[address] = nil }
        count -= 1
        return true
    }

    /// The member that makes room, and from when on; nil when nobody is there.
    var next: (member: Member, from: NIODeadline)? {
        let most = members.values.lazy.map(\.count).max()
        let longest = members.values.lazy.filter { $0.count == most }.compactMap(\.first).min { $0.since < $1.since }
        return longest.map { ($0.member, $0.since + time) }
    }
}

extension HandshakeRoom: Sendable where Address: Sendable, Member: Sendable {}
