import MultiplexerCore

/// What a probe asks of a device.
enum ProbeRequest: Hashable {
    case read(Table, Range<Int>)
    case write([UInt16], at: Int)

    /// The four tables of a Modbus device that can be read.
    enum Table: Hashable, CaseIterable {
        case holdingRegisters
        case inputRegisters
        case coils
        case discreteInputs
    }

    /// The request's message: unit id and PDU.
    func message(unit: UInt8) -> [UInt8] {
        switch self {
        case .read(let table, let addresses):
            return [unit, table.function.rawValue] + bytes(addresses.lowerBound, addresses.count)
        case .write(let values, let address) where values.count == 1:
            return [unit, function.rawValue] + bytes(address, Int(values[0]))
        case .write(let values, let address):
            return [unit, function.rawValue] + bytes(address, values.count) + [UInt8(values.count * 2)]
                + values.flatMap { bytes(Int($0)) }
        }
    }

    /// What the response says.
    ///
    /// - Throws: The exception that it is, or why it does not answer this request.
    func answer(in response: [UInt8], unit: UInt8) throws(ProbeFailure) -> ProbeAnswer {
        guard response.count >= 2 else { throw malformed("is shorter than 2 bytes") }
        guard response[0] == unit else { throw malformed("comes from unit \(response[0]) instead of \(unit)") }
        let answered = ModbusFunction(rawValue: response[1])
        guard answered == function else { throw malformed("is about \(answered) instead of \(function)") }
        let data = response.dropFirst(2)
        guard response[1] < 0x80 else {
            guard let code = data.first, data.count == 1 else { throw malformed("is an exception without a code") }
            throw ProbeFailure(ModbusException(rawValue: code))
        }
        switch self {
        case .write(let values, let address):
            guard response == Array(message(unit: unit).prefix(6)) else {
                throw malformed("confirms something else than what was written")
            }
            return .written(values, at: address)
        case .read(let table, let addresses):
            let expected = table.isBits ? (addresses.count + 7) / 8 : addresses.count * 2
            guard data.first.map(Int.init) == expected, data.count == expected + 1 else {
                throw malformed("has another length than what was asked for")
            }
            let values = Array(data.dropFirst())
            let positions = 0..<addresses.count
            return table.isBits
                ? .bits(positions.map { values[$0 / 8] & 1 << ($0 % 8) != 0 }, table, addresses)
                : .registers(
                    positions.map { UInt16(values[$0 * 2]) << 8 | UInt16(values[$0 * 2 + 1]) },
                    table,
                    addresses
                )
        }
    }

    private var function: ModbusFunction {
        switch self {
        case .read(let table, _): table.function
        case .write(let values, _): values.count == 1 ? .writeSingleRegister : .writeMultipleRegisters
        }
    }

    private func malformed(_ reason: String) -> ProbeFailure {
        ProbeFailure(.malformedAnswer, "the answer \(reason)")
    }

    private func bytes(_ words: Int...) -> [UInt8] {
        words.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }
}

extension ProbeRequest.Table {
    var name: String {
        switch self {
        case .holdingRegisters: "holding register"
        case .inputRegisters: "input register"
        case .coils: "coil"
        case .discreteInputs: "discrete input"
        }
    }

    var isBits: Bool { self == .coils || self == .discreteInputs }

    /// The most that one request may ask for (Modbus Application Protocol Specification V1.1b3, sections 6.1 to 6.4).
    var maximumCount: Int { isBits ? 2_000 : 125 }

    fileprivate var function: ModbusFunction {
        switch self {
        case .holdingRegisters: .readHoldingRegisters
        case .inputRegisters: .readInputRegisters
        case .coils: .readCoils
        case .discreteInputs: .readDiscreteInputs
        }
    }
}

/// What a device answered.
enum ProbeAnswer: Hashable {
    case registers([UInt16], ProbeRequest.Table, Range<Int>)
    case bits([Bool], ProbeRequest.Table, Range<Int>)
    case written([UInt16], at: Int)
}

extension ProbeFailure {
    fileprivate init(_ exception: ModbusException) {
        let cause =
            switch exception {
            case .gatewayPathUnavailable: ": what answers has no connection to the device"
            case .gatewayTargetDeviceFailedToRespond: ": the device behind what answers does not respond"
            default: ""
            }
        self.init(.modbusException, "the answer is an exception, \(exception)\(cause)")
    }
}
