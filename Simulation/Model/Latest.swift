/// The number of the last thing that concerned each unit of a device, counted from 1.
struct Latest {
    private var units: [UInt8: Int] = [:]
    private var all = 0

    /// The last that concerned a unit; nil stands for any of them.
    subscript(unit: UInt8?) -> Int {
        guard let unit else { return max(all, units.values.max() ?? 0) }
        return max(units[unit] ?? 0, all)
    }

    /// Something concerned a unit; nil stands for all of them.
    mutating func record(_ number: Int, _ unit: UInt8?) {
        if let unit { units[unit] = max(units[unit] ?? 0, number) } else { all = max(all, number) }
    }
}
