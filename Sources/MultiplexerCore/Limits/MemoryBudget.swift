/// Counts what clients' messages take of a memory that all of them share, and says who has to let go when it is full.
///
/// That is the client whose messages take the most, of the address whose clients take the most: whoever hoards goes, and
/// who asks for a little finds room. Addresses are counted as ``IPAddress/network`` says.
///
/// Only who holds something is kept, and only they are searched, when the memory is full.
package struct MemoryBudget<Client: Hashable> {
    /// How many bytes may be held; who holds them when it shrinks may go on.
    package var limit: Int

    /// How many bytes are held.
    package private(set) var held = 0

    private var holders: [Client: Holder] = [:]
    private var lastOrder = 0

    private struct Holder {
        let network: IPAddress
        /// Who began to hold earlier has less.
        let order: Int
        var bytes: Int
        /// It was told to let go; what it holds until then no longer counts.
        var isLeaving = false

        /// Who is told to let go has the most of these; a little more or less makes no difference.
        var weight: (Int, Int) { (bytes >> 16, -order) }
    }

    /// A memory of so many bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// A client holds so many bytes from now on; returns who has to let go so that it fits, itself perhaps.
    package mutating func reserve(_ bytes: Int, by client: Client, from address: IPAddress) -> [Client] {
        guard holders[client]?.isLeaving != true else { return [] }
        let before = holders[client]?.bytes ?? 0
        held += bytes - before
        guard bytes > 0 else {
            holders[client] = nil
            return []
        }
        if holders[client] == nil {
            lastOrder += 1
            holders[client] = Holder(network: address.network, order: lastOrder, bytes: bytes)
        }
        holders[client]?.bytes = bytes
        var evicted: [Client] = []
        while bytes > before, held > limit, let next = largest(beside: address.network) {
            held -= holders[next]?.bytes ?? 0
            holders[next]?.bytes = 0
            holders[next]?.isLeaving = true
            evicted.append(next)
        }
        return evicted
    }

    /// A client's connection is closed.
    package mutating func left(_ client: Client) {
        held -= holders.removeValue(forKey: client)?.bytes ?? 0
    }

    /// Who holds the most of the address that holds the most; if several do, of `own` if that is one of them.
    private func largest(beside own: IPAddress) -> Client? {
        var addresses: [IPAddress: Int] = [:]
        for holder in holders.values { addresses[holder.network, default: 0] += holder.bytes }
        guard let most = addresses.values.max(), most > 0 else { return nil }
        let network = addresses[own] == most ? own : addresses.first { $0.value == most }?.key
        return holders.filter { $0.value.network == network && $0.value.bytes > 0 }
            .max { $0.value.weight < $1.value.weight }?.key
    }
}

extension MemoryBudget: Sendable where Client: Sendable {}
