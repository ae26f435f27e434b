/// Counts what may have changed the units of a device.
///
/// A value that was read at one count holds as long as the unit's count is the same.
struct WriteGenerations: Sendable {
    private var units = [UInt64](repeating: 0, count: 256)
    /// The count of writes that may have changed any unit.
    private var any: UInt64 = 0
    /// The count of all writes.
    private var total: UInt64 = 0

    /// The count of a unit; nil stands for all of the device.
    subscript(unit: UInt8?) -> UInt64 {
        guard let unit else { return total }
        return units[Int(unit)] + any
    }

    /// A unit may have been changed; nil stands for all of the device.
    mutating func advance(_ unit: UInt8?) {
        total += 1
        if let unit { units[Int(unit)] += 1 } else { any += 1 }
    }
}
