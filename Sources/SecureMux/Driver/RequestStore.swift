import MultiplexerCore
import NIOCore

/// What the driver keeps of the requests that the core holds, from their arrival to the action that ends them.
///
/// Slots and their memory are used again, so that a request costs no allocation.
struct RequestStore {
    private var slots: [Slot] = []
    private var free: [UInt32] = []

    private struct Slot {
        /// The message of the client's frame, as the client sent it.
        var message: [UInt8] = []
        var transactionID: UInt16 = 0
        var waiter: (any Client)?
        /// The waiting client's requests that came before and after it.
        var older: UInt32?
        var newer: UInt32?
    }

    /// A slot that grew beyond this, more than any Modbus frame needs, gives its memory back.
    private static let keptCapacity = 512

    /// Keeps a request under a new id.
    mutating func insert(_ message: Span<UInt8>, transactionID: UInt16, from waiter: any Client) -> RequestID {
        let slot: UInt32
        if let freed = free.popLast() {
            slot = freed
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].message.append(contentsOf: message)
        slots[Int(slot)].transactionID = transactionID
        slots[Int(slot)].waiter = waiter
        slots[Int(slot)].older = waiter.latestRequest
        if let older = waiter.latestRequest { slots[Int(older)].newer = slot }
        waiter.latestRequest = slot
        return RequestID(rawValue: slot)
    }

    /// The request of `waiter` that is kept under some id and is the same byte for byte, its transaction id included.
    func same(_ message: Span<UInt8>, transactionID: UInt16, from waiter: any Client) -> RequestID? {
        var next = waiter.latestRequest
        while let slot = next {
            if slots[Int(slot)].transactionID == transactionID, slots[Int(slot)].message.elementsEqual(message) {
                return RequestID(rawValue: slot)
            }
            next = slots[Int(slot)].older
        }
        return nil
    }

    /// The message kept under `id`.
    func message(_ id: RequestID) -> [UInt8] { slots[Int(id.rawValue)].message }

    /// The client's own id of the request.
    func transactionID(_ id: RequestID) -> UInt16 { slots[Int(id.rawValue)].transactionID }

    /// The client that asked.
    func waiter(_ id: RequestID) -> (any Client)? { slots[Int(id.rawValue)].waiter }

    /// Ends the life of `id`.
    mutating func remove(_ id: RequestID) {
        let slot = Int(id.rawValue)
        slots[slot].message.removeAll(keepingCapacity: slots[slot].message.capacity <= Self.keptCapacity)
        let (older, newer) = (slots[slot].older, slots[slot].newer)
        if let newer { slots[Int(newer)].older = older } else { slots[slot].waiter?.latestRequest = older }
        if let older { slots[Int(older)].newer = newer }
        slots[slot].waiter = nil
        (slots[slot].older, slots[slot].newer) = (nil, nil)
        free.append(id.rawValue)
    }
}

extension [UInt8] {
    fileprivate func elementsEqual(_ bytes: Span<UInt8>) -> Bool {
        count == bytes.count && indices.allSatisfy { self[$0] == bytes[$0] }
    }
}
