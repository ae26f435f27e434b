/// Which unit ids of clients the device knows under which others.
///
/// Several of the clients' ids may lead to one of the device's: a response gets its id from the request it answers, never
/// from the map.
public struct UnitMap: Hashable, Sendable {
    /// The device's id of each of the clients' ids; empty where all are the same.
    private var deviceUnits: [UInt8] = []

    /// A map that leaves all unit ids as they are.
    public init() {}

    /// A map of these unit ids, which leaves all others as they are.
    ///
    /// - Parameter units: The device's ids by the clients' ids.
    public init(_ units: [UInt8: UInt8]) {
        guard units.contains(where: { $0.key != $0.value }) else { return }
        deviceUnits = (.min ... .max).map { units[$0] ?? $0 }
    }

    /// The clients' unit ids that lead to this one of the device under another number.
    public func clientUnits(leadingTo deviceUnit: UInt8) -> [UInt8] {
        deviceUnits.indices.filter { deviceUnits[$0] == deviceUnit && $0 != Int(deviceUnit) }.map { UInt8($0) }
    }

    /// The device's unit id for a client's.
    public subscript(clientUnit: UInt8) -> UInt8 {
        deviceUnits.isEmpty ? clientUnit : deviceUnits[Int(clientUnit)]
    }
}
