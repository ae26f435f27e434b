import MultiplexerCore

/// Counts writes that were carried out before: what a client that never writes the same twice must not cause.
struct WriteHistory: Sendable {
    /// How many writes are remembered for each address.
    private static let depth = 8

    private(set) var repeated = 0
    private var latest: [UInt16: [[UInt8]]] = [:]

    /// Notes a request that was carried out.
    ///
    /// - Parameter message: Its unit id and PDU.
    mutating func record(_ message: [UInt8]) {
        guard message.count >= 6, Self.writes.contains(message[1]) else { return }
        let address = UInt16(message[2]) << 8 | UInt16(message[3])
        var writes = latest[address, default: []]
        if writes.contains(message) {
            repeated += 1
            return
        }
        writes.append(message)
        latest[address] = writes.suffix(Self.depth)
    }

    private static let writes = Set(
        [ModbusFunction.writeSingleCoil, .writeSingleRegister, .writeMultipleCoils, .writeMultipleRegisters]
            .map(\.rawValue)
    )
}
