import MultiplexerCore

/// A wire on which streams are made: its requests, the answers to them, and what is neither.
struct StreamWire: Sendable {
    let spoken: ApplicationProtocol
    /// What no frame can begin with.
    let garbage: [UInt8]

    static let all = [
        StreamWire(spoken: .modbus, garbage: [0, 1, 0, 9, 0, 6, 1, 3, 0, 0, 0, 1]),
        StreamWire(spoken: .modbusRTU, garbage: [0, 1, 0, 9, 0, 6, 1, 3, 0, 0, 0, 1]),
        StreamWire(spoken: .modbusSerial, garbage: [1, 3, 0, 0, 0, 1, 0xFF, 0xFF]),
    ]

    /// A frame that asks for some registers, or writes one.
    func request(using random: inout SplitMix64) -> [UInt8] {
        frame(of: Self.message(using: &random), UInt16(truncatingIfNeeded: random.next()))
    }

    /// A message that asks for some registers, or writes one.
    static func message(using random: inout SplitMix64) -> [UInt8] {
        let (unit, address) = (UInt8(1 + random.below(200)), UInt8(random.below(200)))
        return random.chance(70)
            ? [unit, 3, 0, address, 0, UInt8(1 + random.below(20))]
            : [unit, 6, 0, address, UInt8(random.below(256)), UInt8(random.below(256))]
    }

    /// The message that answers one; now and then an exception.
    static func response(to request: [UInt8], using random: inout SplitMix64) -> [UInt8] {
        if random.chance(10) { return [request[0], request[1] | 0x80, 2] }
        guard request[1] == 3 else { return request }
        let values = (0..<2 * Int(request[5])).map { _ in UInt8(random.below(256)) }
        return [request[0], 3, UInt8(values.count)] + values
    }

    func frame(of message: [UInt8], _ transactionID: UInt16) -> [UInt8] {
        var frame: [UInt8] = []
        spoken.framing.seal(message.span, transactionID: transactionID, into: &frame)
        return frame
    }
}
