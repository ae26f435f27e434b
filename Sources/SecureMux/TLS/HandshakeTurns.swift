import DequeModule

/// Whose TLS handshake goes on next.
///
/// Those who wait get their turn in the order in which they came, but addresses take turns, so that a crowd from one of
/// them delays itself.
struct HandshakeTurns<Address: Hashable, Member: Hashable> {
    private var waiting: [Address: Deque<Member>] = [:]
    /// Those of whom someone waits.
    private var addresses: Deque<Address> = []

    /// Whether nobody waits.
    var isEmpty: Bool { addresses.isEmpty }

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

    /// Whose turn it is, who then waits no longer, and its address; nil when nobody waits.
    mutating func next() -> (member: Member, address: Address)? {
        guard let address = addresses.popFirst(), let member = waiting[address]?.popFirst() else { return nil }
        if waiting[address]?.isEmpty == true { waiting[address] = nil } else { addresses.append(address) }
        return (member, address)
    }
}

extension HandshakeTurns: Sendable where Address: Sendable, Member: Sendable {}
