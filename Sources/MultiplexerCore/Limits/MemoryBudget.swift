/// Counts the bytes that clients' messages take of a memory that all of them share, and finds the client to evict when it is
/// full.
///
/// That is the client whose messages take the most, of the address whose clients take the most: a client that hoards goes,
/// and one that asks for a little finds room. Addresses are counted as ``IPAddress/network`` says.
///
/// Only clients that have something reserved are known, and only these are searched when the memory is full.
package struct MemoryBudget<Client: Hashable> {
    /// How many bytes may be reserved; clients that have them when it shrinks may go on.
    package var limit: Int

    /// How many bytes are reserved.
    package private(set) var reserved = 0

    private var reservations: [Client: Reservation] = [:]
    private var lastOrder = 0

    private struct Reservation {
        let network: IPAddress
        /// Smaller for a client that began to reserve earlier.
        let order: Int
        var bytes: Int
        /// It is to free its memory; what it has until then no longer counts.
        var isLeaving = false

        /// The client of the greatest weight is evicted: the most memory in steps of 64 KiB, then the earliest.
        var weight: (Int, Int) { (bytes >> 16, -order) }
    }

    /// A memory of `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
    }

    /// A client needs `bytes` from now on, in place of what it needed before.
    ///
    /// - Returns: The clients that have to free their memory so that it fits, itself perhaps.
    package mutating func reserve(_ bytes: Int, by client: Client, from address: IPAddress) -> [Client] {
        guard reservations[client]?.isLeaving != true else { return [] }
        let before = reservations[client]?.bytes ?? 0
        reserved += bytes - before
        guard bytes > 0 else {
            reservations[client] = nil
            return []
        }
        if reservations[client] == nil {
            lastOrder += 1
            reservations[client] = Reservation(network: address.network, order: lastOrder, bytes: bytes)
        }
        reservations[client]?.bytes = bytes
        var evicted: [Client] = []
        while bytes > before, reserved > limit, let next = largest(beside: address.network) {
            reserved -= reservations[next]?.bytes ?? 0
            reservations[next]?.bytes = 0
            reservations[next]?.isLeaving = true
            evicted.append(next)
        }
        return evicted
    }

    /// A client's connection is closed.
    package mutating func left(_ client: Client) {
        reserved -= reservations.removeValue(forKey: client)?.bytes ?? 0
    }

    /// The client that holds the most of the address that holds the most; if several addresses do, of `own` if that is one.
    private func largest(beside own: IPAddress) -> Client? {
        var addresses: [IPAddress: Int] = [:]
        for reservation in reservations.values { addresses[reservation.network, default: 0] += reservation.bytes }
        guard let most = addresses.values.max(), most > 0 else { return nil }
        let network = addresses[own] == most ? own : addresses.first { $0.value == most }?.key
        return reservations.filter { $0.value.network == network && $0.value.bytes > 0 }
            .max { $0.value.weight < $1.value.weight }?.key
    }
}

extension MemoryBudget: Sendable where Client: Sendable {}
