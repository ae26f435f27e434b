import MultiplexerCore

/// What a simulated inverter answers to Modbus requests, and what it remembers of them.
///
/// Section numbers are those of the Modbus Application Protocol Specification V1.1b3.
package struct ModbusServer: Sendable {
    private var map = RegisterMap()
    /// Requests that were carried out, as Get Comm Event Counter counts them.
    private var events: UInt16 = 0

    package init() {}

    /// Carries out a request for whatever unit id.
    ///
    /// - Parameters:
    ///   - message: The request's unit id and PDU, at least 2 bytes.
    ///   - elapsed: The time since the inverter was switched on.
    /// - Returns: The response's unit id and PDU.
    package mutating func response(to message: [UInt8], at elapsed: Duration) -> [UInt8] {
        let (unit, code) = (message[0], message[1])
        do {
            let data = try data(respondingTo: code, PDUReader(message[2...]), at: elapsed)
            if ModbusFunction(rawValue: code) != .getCommEventCounter { events &+= 1 }
            return [unit, code] + data
        } catch {
            return [unit, code | 0x80, error.rawValue]
        }
    }

    private mutating func data(
        respondingTo code: UInt8,
        _ request: consuming PDUReader,
        at elapsed: Duration
    ) throws(ModbusException) -> [UInt8] {
        // Codes with the exception bit would be taken for the function without it.
        guard code < 0x80 else { throw .illegalFunction }
        switch ModbusFunction(rawValue: code) {
        case .readCoils, .readDiscreteInputs:
            let addresses = try request.addresses(atMost: 2_000)
            try request.end()
            let bytes = bytes(of: try map.coils(addresses))
            return [UInt8(bytes.count)] + bytes
        case .readHoldingRegisters, .readInputRegisters:
            let addresses = try request.addresses(atMost: 125)
            try request.end()
            return counted(try map.registers(addresses, at: elapsed))
        case .writeSingleCoil:
            let (address, value) = (try request.word(), try request.word())
            try request.end()
            guard value == 0 || value == 0xFF00 else { throw .illegalDataValue }
            try map.write([value != 0], at: Int(address))
            return bytes(of: [address, value])
        case .writeSingleRegister:
            let (address, value) = (try request.word(), try request.word())
            try request.end()
            try map.write([value], at: Int(address))
            return bytes(of: [address, value])
        case .writeMultipleCoils:
            let addresses = try request.addresses(atMost: 1_968)
            let values = try request.coils(addresses.count)
            try request.end()
            try map.write(values, at: addresses.lowerBound)
            return bytes(of: [UInt16(addresses.lowerBound), UInt16(addresses.count)])
        case .writeMultipleRegisters:
            let addresses = try request.addresses(atMost: 123)
            let values = try request.registers(addresses.count)
            try request.end()
            try map.write(values, at: addresses.lowerBound)
            return bytes(of: [UInt16(addresses.lowerBound), UInt16(addresses.count)])
        case .readExceptionStatus:
            try request.end()
            return bytes(of: try map.coils(0..<8))
        case .diagnostics:
            return try diagnostics(&request)
        case .getCommEventCounter:
            try request.end()
            return bytes(of: [0, events])  // not busy
        case .maskWriteRegister:
            let (address, and, or) = (try request.word(), try request.word(), try request.word())
            try request.end()
            let old = try map.registers(Int(address)..<Int(address) + 1, at: elapsed)[0]
            try map.write([old & and | or & ~and], at: Int(address))
            return bytes(of: [address, and, or])
        case .readWriteMultipleRegisters:
            let read = try request.addresses(atMost: 125)
            let written = try request.addresses(atMost: 121)
            let values = try request.registers(written.count)
            try request.end()
            // Both ranges are checked before anything is written; the write comes first (section 6.17).
            _ = try map.registers(read, at: elapsed)
            try map.write(values, at: written.lowerBound)
            return counted(try map.registers(read, at: elapsed))
        case .readFIFOQueue:
            let address = Int(try request.word())
            try request.end()
            return try queue(at: address, at: elapsed)
        case .reportServerID:
            try request.end()
            let id = Array(SunSpecInverter.model.utf8)
            return [UInt8(id.count + 1)] + id + [0xFF]  // running
        case .encapsulatedInterfaceTransport:
            return try deviceIdentification(&request)
        default:
            throw .illegalFunction
        }
    }

    /// Return Query Data, the only sub-function (section 6.8).
    private func diagnostics(_ request: inout PDUReader) throws(ModbusException) -> [UInt8] {
        guard try request.word() == 0 else { throw .illegalFunction }
        return [0, 0] + request.remainder()
    }

    /// The register at the address says how many of those after it are in the queue, 31 at most (section 6.18).
    private func queue(at address: Int, at elapsed: Duration) throws(ModbusException) -> [UInt8] {
        let count = try map.registers(address..<address + 1, at: elapsed)[0]
        guard count <= 31 else { throw .illegalDataValue }
        let registers = try map.registers(address..<address + 1 + Int(count), at: elapsed)
        return bytes(of: [UInt16(registers.count * 2)] + registers)
    }

    /// Read Device Identification (section 6.21): the three basic objects, as a stream or one by one.
    private func deviceIdentification(_ request: inout PDUReader) throws(ModbusException) -> [UInt8] {
        let interfaceType = try request.byte()
        guard interfaceType == 0x0E else { throw .illegalFunction }
        let (access, first) = (try request.byte(), Int(try request.byte()))
        try request.end()
        let objects = [SunSpecInverter.manufacturer, SunSpecInverter.model, SunSpecInverter.version]
        let ids: Range<Int>
        switch access {
        case 1...3:
            ids = (first < objects.count ? first : 0)..<objects.count
        case 4:
            guard first < objects.count else { throw .illegalDataAddress }
            ids = first..<first + 1
        default:
            throw .illegalDataValue
        }
        // Conformity level 0x81: basic objects, both ways. Nothing follows.
        let header = [interfaceType, access, 0x81, 0, 0, UInt8(ids.count)]
        return header + ids.flatMap { [UInt8($0), UInt8(objects[$0].utf8.count)] + Array(objects[$0].utf8) }
    }

    private func counted(_ registers: [UInt16]) -> [UInt8] {
        [UInt8(registers.count * 2)] + bytes(of: registers)
    }

    private func bytes(of registers: [UInt16]) -> [UInt8] {
        registers.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    private func bytes(of coils: [Bool]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (coils.count + 7) / 8)
        for (index, isOn) in coils.enumerated() where isOn {
            bytes[index / 8] |= 1 << (index % 8)
        }
        return bytes
    }
}

/// Reads a request's fields in order; what is missing, or left over, is an illegal data value (section 7).
private struct PDUReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func byte() throws(ModbusException) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .illegalDataValue }
        return byte
    }

    mutating func word() throws(ModbusException) -> UInt16 {
        UInt16(try byte()) << 8 | UInt16(try byte())
    }

    /// A start address and a quantity.
    mutating func addresses(atMost limit: Int) throws(ModbusException) -> Range<Int> {
        let (start, quantity) = (Int(try word()), Int(try word()))
        guard (1...limit).contains(quantity) else { throw .illegalDataValue }
        return start..<start + quantity
    }

    /// A byte count and `count` registers.
    mutating func registers(_ count: Int) throws(ModbusException) -> [UInt16] {
        guard Int(try byte()) == count * 2 else { throw .illegalDataValue }
        var registers: [UInt16] = []
        for _ in 0..<count {
            registers.append(try word())
        }
        return registers
    }

    /// A byte count and `count` coils.
    mutating func coils(_ count: Int) throws(ModbusException) -> [Bool] {
        let byteCount = Int(try byte())
        guard byteCount == (count + 7) / 8, rest.count >= byteCount else { throw .illegalDataValue }
        let bytes = Array(rest.prefix(byteCount))
        rest = rest.dropFirst(byteCount)
        return (0..<count).map { bytes[$0 / 8] & 1 << ($0 % 8) != 0 }
    }

    /// All that was not read yet.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    func end() throws(ModbusException) {
        guard rest.isEmpty else { throw .illegalDataValue }
    }
}
