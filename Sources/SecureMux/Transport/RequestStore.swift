import MultiplexerCore
import NIOCore

/// The bytes of the requests that the core holds, from their arrival to the action that ends them.
///
/// Slots and their memory are used again, so that a request costs no allocation.
struct RequestStore {
    private var slots: [[UInt8]] = []
    private var free: [UInt32] = []

    /// A slot that grew beyond this, more than any Modbus frame needs, gives its memory back.
    private static let keptCapacity = 512

    /// Keeps a request's frame under a new id.
    mutating func insert(_ frame: ByteBuffer) -> RequestID {
        let slot: UInt32
        if let freed = free.popLast() {
            slot = freed
        } else {
            slot = UInt32(slots.count)
            slots.append([])
        }
        slots[Int(slot)].append(contentsOf: frame.readableBytesUInt8Span)
        return RequestID(rawValue: slot)
    }

    /// Calls `body` with the frame kept under `id`.
    func withFrame<Result>(_ id: RequestID, _ body: (Span<UInt8>) -> Result) -> Result {
        let frame = slots[Int(id.rawValue)]
        return body(frame.span)
    }

    /// Ends the life of `id`.
    mutating func remove(_ id: RequestID) {
        let slot = Int(id.rawValue)
        slots[slot].removeAll(keepingCapacity: slots[slot].capacity <= Self.keptCapacity)
        free.append(id.rawValue)
    }
}
