import MultiplexerCore

/// What can be read from and written to a simulated inverter.
///
/// Registers and coils 0 to 999 are memory; the SunSpec registers from 40000 on can only be read. Input registers mirror
/// the holding registers, discrete inputs the coils.
struct RegisterMap {
    static let memorySize = 1_000

    private var registers = [UInt16](repeating: 0, count: Self.memorySize)
    private var coils = [Bool](repeating: false, count: Self.memorySize)

    func registers(_ addresses: Range<Int>, at elapsed: Duration) throws(ModbusException) -> [UInt16] {
        if registers.indices.contains(addresses) {
            return Array(registers[addresses])
        }
        let base = SunSpecInverter.baseAddress
        guard (base..<base + SunSpecInverter.registerCount).contains(addresses) else { throw .illegalDataAddress }
        let values = SunSpecInverter.registers(at: elapsed)
        return Array(values[addresses.lowerBound - base..<addresses.upperBound - base])
    }

    mutating func write(_ values: [UInt16], at address: Int) throws(ModbusException) {
        let addresses = address..<address + values.count
        guard registers.indices.contains(addresses) else { throw .illegalDataAddress }
        registers.replaceSubrange(addresses, with: values)
    }

    func coils(_ addresses: Range<Int>) throws(ModbusException) -> [Bool] {
        guard coils.indices.contains(addresses) else { throw .illegalDataAddress }
        return Array(coils[addresses])
    }

    mutating func write(_ values: [Bool], at address: Int) throws(ModbusException) {
        let addresses = address..<address + values.count
        guard coils.indices.contains(addresses) else { throw .illegalDataAddress }
        coils.replaceSubrange(addresses, with: values)
    }
}
