/// The SunSpec registers of a three phase inverter, as a pure function of the time since it was switched on.
///
/// Model 1 (common) and model 103 (three phase inverter, integers with scale factors) of the SunSpec Information Model
/// Reference. Its days last ten minutes, so that a reader sees the values move; it works through the night as well.
package enum SunSpecInverter {
    /// Where the registers begin, as a protocol address.
    package static let baseAddress = 40_000
    /// How many registers there are; one read fetches them all.
    package static let registerCount = 124

    package static let manufacturer = "tcp-multiplexer"
    package static let model = "Simulated inverter"
    package static let version = "1.0"
    package static let serialNumber = "SIM-0001"

    /// All registers as they read `elapsed` after the inverter was switched on.
    package static func registers(at elapsed: Duration) -> [UInt16] {
        var registers: [UInt16] = [0x5375, 0x6E53]  // "SunS"
        registers.reserveCapacity(registerCount)
        registers.append(contentsOf: [1, 66])
        registers.append(contentsOf: text(manufacturer, count: 16))
        registers.append(contentsOf: text(model, count: 16))
        registers.append(contentsOf: text("", count: 8))
        registers.append(contentsOf: text(version, count: 8))
        registers.append(contentsOf: text(serialNumber, count: 16))
        registers.append(contentsOf: [1, 0x8000])  // device address, padding
        registers.append(contentsOf: [103, 50])
        registers.append(contentsOf: InverterState(at: elapsed).modelRegisters)
        registers.append(contentsOf: [0xFFFF, 0])
        return registers
    }

    /// A SunSpec string: two characters a register, filled up with NUL.
    private static func text(_ text: String, count: Int) -> [UInt16] {
        var bytes = Array(text.utf8.prefix(count * 2))
        bytes.append(contentsOf: repeatElement(0, count: count * 2 - bytes.count))
        return (0..<count).map { UInt16(bytes[$0 * 2]) << 8 | UInt16(bytes[$0 * 2 + 1]) }
    }
}

/// What the inverter does at one moment, in SI units.
struct InverterState {
    static let dayLength = 600.0
    static let nightPower = 500.0
    static let peakPower = 8_000.0
    static let energyAtStart = 12_345_678.0
    static let notImplemented: UInt16 = 0x8000

    let power: Double
    let energy: Double
    let voltages: [Double]
    let frequency: Double
    let dcVoltage: Double
    let temperature: Double

    init(at elapsed: Duration) {
        let seconds = max(0, elapsed / .seconds(1))
        let days = (seconds / Self.dayLength).rounded(.down)
        let phase = seconds / Self.dayLength - days
        let swing = Self.peakPower - Self.nightPower
        power = Self.nightPower + swing * 4 * phase * (1 - phase)
        // The integral of the power over whole days and the part of this one.
        let dayParts = days / 6 + phase * phase / 2 - phase * phase * phase / 3
        energy = Self.energyAtStart + (Self.nightPower * seconds + swing * 4 * Self.dayLength * dayParts) / 3_600
        voltages = (0..<3).map { 230 + 1.5 * Self.noise(at: seconds, $0) }
        frequency = 50 + 0.02 * Self.noise(at: seconds, 3)
        dcVoltage = 620 + 5 * Self.noise(at: seconds, 4)
        temperature = 25 + 20 * power / Self.peakPower
    }

    /// The registers of model 103 after its id and length.
    var modelRegisters: [UInt16] {
        let currents = voltages.map { power / 3 / $0 }
        let betweenPhases = 3.0.squareRoot()
        let dcPower = power / 0.97
        var registers: [UInt16] = []
        registers += [scaled(currents.reduce(0, +), 100)] + currents.map { scaled($0, 100) } + [factor(-2)]
        registers += voltages.map { scaled($0 * betweenPhases, 10) } + voltages.map { scaled($0, 10) } + [factor(-1)]
        registers += [scaled(power, 1), factor(0), scaled(frequency, 100), factor(-2)]
        // No reactive power: apparent power is power, the power factor 100 %.
        registers += [scaled(power, 1), factor(0), 0, factor(0), scaled(100, 100), factor(-2)]
        // The counter starts again at 0 after 4 GWh.
        let wattHours = UInt32(energy.truncatingRemainder(dividingBy: 4_294_967_296))
        registers += [UInt16(wattHours >> 16), UInt16(truncatingIfNeeded: wattHours), factor(0)]
        registers += [scaled(dcPower / dcVoltage, 100), factor(-2), scaled(dcVoltage, 10), factor(-1)]
        registers += [scaled(dcPower, 1), factor(0)]
        registers += [
            scaled(temperature, 10), Self.notImplemented, Self.notImplemented, Self.notImplemented, factor(-1),
        ]
        registers += [4, 0]  // operating state MPPT, no state of the vendor's
        registers += [UInt16](repeating: 0, count: 12)  // no events
        return registers
    }

    private func scaled(_ value: Double, _ scale: Double) -> UInt16 {
        UInt16(clamping: Int((value * scale).rounded()))
    }

    private func factor(_ exponent: Int16) -> UInt16 {
        UInt16(bitPattern: exponent)
    }

    /// Between -1 and 1, another value each second and for each `source`.
    private static func noise(at seconds: Double, _ source: UInt64) -> Double {
        var bits = UInt64(seconds) &* 8 &+ source
        // The finalizer of splitmix64.
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) / Double(1 << 52) - 1
    }
}
