import DequeModule

/// Whose TLS handshake may go on, and when: a step of one may take the loop longer than thousands of requests.
///
/// In each turn steps are taken until they have taken long enough together; whoever comes later waits. Those who wait get
/// their turn in the order in which they came, but addresses take turns, so that a crowd from one of them delays itself.
struct HandshakeTurns<Address: Hashable, Member: Hashable> {
    private let limit: Duration
    private var spent = Duration.zero
    private var waiting: [Address: Deque<Member>] = [:]
    /// Those of whom someone waits.
    private var addresses: Deque<Address> = []

    /// In each turn steps begin until they have taken `limit` together.
    init(limit: Duration) {
        self.limit = limit
    }

    /// Whether a step may be taken at once.
    var hasTime: Bool { addresses.isEmpty && spent < limit }

    /// Whether nobody waits.
    var isEmpty: Bool { addresses.isEmpty }

    /// A step was taken.
    mutating func spend(_ time: Duration) {
        spent += time
    }

    /// The loop's next turn has begun.
    mutating func begin() {
        spent = .zero
    }

    /// Someone waits who does not wait yet.
    mutating func add(_ member: Member, of address: Address) {
        if waiting[address] == nil { addresses.append(address) }
        waiting[address, default: []].append(member)
    }

    /// Someone waits no longer.
    mutating func remove(_ member: Member, of address: Address) {
        guard let index = waiting[address]?.firstIndex(of: member) else { return }
        waiting[address]?.remove(at: index)
        guard waiting[address]?.isEmpty == true else { return }
        waiting[address] = nil
        addresses.removeAll { $0 == address }
    }

    /// Who may take a step now; nil when nobody waits, or the turn is over.
    mutating func next() -> Member? {
        guard spent < limit, let address = addresses.popFirst() else { return nil }
        let member = waiting[address]?.popFirst()
        if waiting[address]?.isEmpty == true { waiting[address] = nil } else { addresses.append(address) }
        return member
    }
}

extension HandshakeTurns: Sendable where Address: Sendable, Member: Sendable {}
