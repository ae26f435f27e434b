/// What Modbus messages say: unit id, function code, data.
package struct ModbusMessageRules: MessageRules {
    static let exceptionBit: UInt8 = 0x80

    /// What the device calls the units that clients ask for.
    package var unitMap: UnitMap
    /// Whether the device takes requests to its unit 0 for broadcasts and answers none, as on a serial line.
    ///
    /// On Modbus/TCP unit 0 is a unit like any other (Modbus Messaging on TCP/IP V1.0b, section 4.4.2.1).
    package var broadcastsUnit0: Bool

    /// The rules with this map, and with or without broadcasts.
    package init(unitMap: UnitMap = UnitMap(), broadcastsUnit0: Bool = false) {
        self.unitMap = unitMap
        self.broadcastsUnit0 = broadcastsUnit0
    }

    /// Modbus clients keep their connection open while they wait (Modbus Messaging on TCP/IP V1.0b, section 4.2).
    package var answersAfterEndOfInput: Bool { false }

    /// A request is told by its unit, as the device calls it, and its function.
    package func request(_ message: Span<UInt8>) -> Request {
        let unit = unitMap[message[0]]
        let function = ModbusFunction(rawValue: message[1])
        let isException = message[1] & Self.exceptionBit != 0
        return Request(
            correlation: Self.correlation(unit: unit, function: function),
            // No request has the exception bit set: who knows what the device makes of it.
            mayWrite: function.mayWrite || isException,
            expectsResponse: (unit != 0 || !broadcastsUnit0) && !Self.silences(message),
            responseLength: isException ? nil : Self.responseLength(to: message),
            unit: Self.concernsOneUnit(unit) ? unit : nil,
            read: isException ? nil : Self.read(message, of: unit)
        )
    }

    /// Unit 0 means all of a serial line, and 0 or 255 often the device itself, which answers to other ids as well (Modbus
    /// Messaging on TCP/IP V1.0b, section 4.4.2.1).
    private static func concernsOneUnit(_ unit: UInt8) -> Bool { unit != 0 && unit != 255 }

    /// The four functions that read a range, and have no effect; whole and with nothing behind.
    private static func read(_ message: Span<UInt8>, of unit: UInt8) -> Request.Read? {
        guard message.count == 6, (1...4).contains(message[1]) else { return nil }
        var packed = UInt64(unit)
        for index in 1..<6 { packed = packed << 8 | UInt64(message[index]) }
        return Request.Read(rawValue: packed)
    }

    /// The unit and the function, such as "unit 1: read holding registers (3)".
    package func summary(ofRequest message: Span<UInt8>) -> String {
        "unit \(message[0]): \(ModbusFunction(rawValue: message[1]))"
    }

    /// A response repeats unit and function; an exception response has the exception bit set beside.
    package func response(_ message: Span<UInt8>) -> Response {
        Response(
            correlation: Self.correlation(ofMessage: message),
            isFailure: message[1] & Self.exceptionBit != 0
        )
    }

    /// The request with the unit id that the device knows.
    package func forward(_ request: Span<UInt8>, into output: inout [UInt8]) {
        output.append(unitMap[request[0]])
        output.append(contentsOf: request.extracting(1...))
    }

    /// The response with the unit id that the client asked for.
    package func giveBack(_ response: Span<UInt8>, answering request: Span<UInt8>, into output: inout [UInt8]) {
        output.append(request[0])
        output.append(contentsOf: response.extracting(1...))
    }

    /// An exception response: 0x0A where there is no path to the device, 0x0B where it does not answer.
    package func reply(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        let exception: ModbusException =
            switch failure {
            case .unreachable, .draining: .gatewayPathUnavailable
            case .unanswered, .connectionLost, .expired: .gatewayTargetDeviceFailedToRespond
            }
        appendException(exception, to: request, into: &output)
        return true
    }

    /// An exception response: 0x03, illegal data value, as for a count that contradicts a quantity.
    package func reply(toMalformed request: Span<UInt8>, into output: inout [UInt8]) -> Bool {
        appendException(.illegalDataValue, to: request, into: &output)
        return true
    }

    private func appendException(
        _ exception: ModbusException,
        to request: Span<UInt8>,
        into output: inout [UInt8]
    ) {
        output.append(request[0])
        output.append(request[1] | Self.exceptionBit)
        output.append(exception.rawValue)
    }

    /// The unit and the function that a message begins with.
    static func correlation(ofMessage message: Span<UInt8>) -> Correlation {
        correlation(unit: message[0], function: ModbusFunction(rawValue: message[1]))
    }

    private static func correlation(unit: UInt8, function: ModbusFunction) -> Correlation {
        Correlation(rawValue: UInt64(unit) << 8 | UInt64(function.rawValue))
    }

    /// Whether it is Diagnostics with the sub-function Force Listen Only Mode, which has no response (Modbus Application
    /// Protocol V1.1b3, section 6.8.1).
    private static func silences(_ request: Span<UInt8>) -> Bool {
        ModbusFunction(rawValue: request[1]) == .diagnostics && request.count >= 4 && request.word(at: 2) == 4
    }

    /// How long the message is that answers a well-formed request, where that is told by the request alone.
    private static func responseLength(to request: Span<UInt8>) -> Int? {
        switch (ModbusFunction(rawValue: request[1]), request.count) {
        case (.readCoils, 6), (.readDiscreteInputs, 6):
            length(ofBytes: (request.word(at: 4) + 7) / 8)
        case (.readHoldingRegisters, 6), (.readInputRegisters, 6):
            length(ofBytes: request.word(at: 4) * 2)
        case (.readWriteMultipleRegisters, 11...):
            length(ofBytes: request.word(at: 4) * 2)
        case (.writeSingleCoil, 6), (.writeSingleRegister, 6), (.writeMultipleCoils, 7...),
            (.writeMultipleRegisters, 7...), (.getCommEventCounter, 2):
            6
        case (.readExceptionStatus, 2): 3
        case (.diagnostics, 4...): request.count
        case (.maskWriteRegister, 8): 8
        default: nil
        }
    }

    /// Unit, function, byte count and so many bytes; nil where no frame can hold them, so that only an exception can follow.
    private static func length(ofBytes count: Int) -> Int? {
        let length = 3 + count
        return count > 0 && ModbusTCPFraming.lengths.contains(length) ? length : nil
    }
}
