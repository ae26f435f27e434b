/// Decides which clients a listener takes, so that those who never say anything keep nobody out.
///
/// A client is silent until it has sent a whole request. When the listener is full, a silent client makes room for the
/// newcomer: the one that came first of the address with the most silent ones, so that a flood drives out itself. When an
/// address has all it may have, one of its own makes room. A client that has spoken is never driven out: then the newcomer
/// is refused.
///
/// Addresses are counted as ``IPAddress/network`` says. Each step takes the same time, however many clients there are.
package struct Admission {
    /// A client that was admitted, from then until ``left(_:)``.
    package struct Ticket: Hashable, Sendable {
        fileprivate let slot: Int
    }

    package enum Decision: Hashable, Sendable {
        case admitted(Ticket)
        /// The second one's connection is to be closed; what it says until then no longer counts.
        case admittedInsteadOf(Ticket, Ticket)
        case refused(Refusal)
    }

    /// Where all places are taken by clients that have spoken.
    package enum Refusal: Hashable, Sendable {
        case listener
        case address
    }

    private var maximumClients: Int
    private var maximumPerAddress: Int

    /// How many clients are admitted.
    package private(set) var count = 0

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    /// Of slots: an address's silent clients.
    private var silent = LinkedLists()

    private var addresses: [Address] = []
    private var freeAddresses: [Int] = []
    private var indices: [IPAddress: Int] = [:]
    /// Of addresses: those with as many silent clients as the list's index says.
    private var byCrowd = LinkedLists()
    private var crowds: [LinkedLists.List] = []
    /// The index of the last list that is not empty, or 0.
    private var largestCrowd = 0

    private enum Slot {
        case free
        /// It has not sent a whole request yet. Exits: spoken, evicted, free.
        case silent(address: Int)
        /// Exit: free.
        case spoken(address: Int)
        /// It had to make room, and is about to leave. Exit: free.
        case evicted
    }

    private struct Address {
        let network: IPAddress
        var clients = 0
        var silent = LinkedLists.List()
    }

    /// Admits `maximumClients` at a time, at least one, and `maximumPerAddress` of them from one address.
    package init(maximumClients: Int, maximumPerAddress: Int) {
        (self.maximumClients, self.maximumPerAddress) = (max(maximumClients, 1), max(maximumPerAddress, 1))
    }

    /// Changes the limits from now on; clients that are there stay.
    package mutating func resize(maximumClients: Int, maximumPerAddress: Int) {
        (self.maximumClients, self.maximumPerAddress) = (max(maximumClients, 1), max(maximumPerAddress, 1))
    }

    /// Someone has connected.
    package mutating func admit(from address: IPAddress) -> Decision {
        let known = indices[address.network]
        var evicted: Ticket?
        if let known, addresses[known].clients >= maximumPerAddress {
            guard let first = evictFirst(of: known) else { return .refused(.address) }
            evicted = first
        } else if count >= maximumClients {
            guard let crowded = mostCrowded(or: known), let first = evictFirst(of: crowded) else {
                return .refused(.listener)
            }
            evicted = first
        }
        let ticket = insert(address.network)
        return evicted.map { .admittedInsteadOf(ticket, $0) } ?? .admitted(ticket)
    }

    /// A client has sent a whole request.
    package mutating func sentRequest(_ ticket: Ticket) {
        guard case .silent(let address) = slots[ticket.slot] else { return }
        endSilence(of: ticket.slot, at: address)
        slots[ticket.slot] = .spoken(address: address)
    }

    /// A client's connection is closed; to be told once for each that was admitted, those driven out included.
    package mutating func left(_ ticket: Ticket) {
        switch slots[ticket.slot] {
        case .free:
            return
        case .silent(let address):
            endSilence(of: ticket.slot, at: address)
            forget(oneOf: address)
        case .spoken(let address):
            forget(oneOf: address)
        case .evicted:
            break
        }
        slots[ticket.slot] = .free
        freeSlots.append(ticket.slot)
    }
}

extension Admission {
    private mutating func insert(_ network: IPAddress) -> Ticket {
        let address = index(of: network)
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count { slots.append(.free) }
        slots[slot] = .silent(address: address)
        count += 1
        addresses[address].clients += 1
        recount(address) { silent, address in silent.append(slot, to: &address.silent) }
        return Ticket(slot: slot)
    }

    private mutating func index(of network: IPAddress) -> Int {
        if let known = indices[network] { return known }
        let index = freeAddresses.popLast() ?? addresses.count
        if index == addresses.count {
            addresses.append(Address(network: network))
        } else {
            addresses[index] = Address(network: network)
        }
        indices[network] = index
        return index
    }

    /// The newcomer's own address if none has more silent clients, else one of those that have the most.
    private func mostCrowded(or own: Int?) -> Int? {
        guard largestCrowd > 0 else { return nil }
        if let own, addresses[own].silent.count == largestCrowd { return own }
        return crowds[largestCrowd].first
    }

    private mutating func evictFirst(of address: Int) -> Ticket? {
        guard let slot = addresses[address].silent.first else { return nil }
        endSilence(of: slot, at: address)
        slots[slot] = .evicted
        forget(oneOf: address)
        return Ticket(slot: slot)
    }

    private mutating func endSilence(of slot: Int, at address: Int) {
        recount(address) { silent, address in silent.remove(slot, from: &address.silent) }
    }

    private mutating func forget(oneOf address: Int) {
        count -= 1
        addresses[address].clients -= 1
        guard addresses[address].clients == 0 else { return }
        indices[addresses[address].network] = nil
        freeAddresses.append(address)
    }

    /// Changes an address's silent clients, and puts it where their number belongs.
    private mutating func recount(_ address: Int, _ change: (inout LinkedLists, inout Address) -> Void) {
        let before = addresses[address].silent.count
        if before > 0 { byCrowd.remove(address, from: &crowds[before]) }
        change(&silent, &addresses[address])
        let after = addresses[address].silent.count
        if after > 0 {
            while crowds.count <= after { crowds.append(LinkedLists.List()) }
            byCrowd.append(address, to: &crowds[after])
        }
        // It changes by one at a time, so that the largest does too.
        largestCrowd = max(largestCrowd, after)
        if largestCrowd > 0, crowds[largestCrowd].count == 0 { largestCrowd -= 1 }
    }
}
