/// What Modbus messages say: unit id, function code, data.
package struct ModbusMessageRules: MessageRules {
    static let exceptionBit: UInt8 = 0x80
    /// The type of Read Device Identification (43).
    static let readDeviceIdentification: UInt8 = 0x0E

    /// What the device calls the units that clients ask for.
    package var unitMap: UnitMap
    /// Whether the device takes requests to its unit 0 for broadcasts and answers none, as on a serial line.
    ///
    /// On Modbus/TCP unit 0 is a unit like any other (Modbus Messaging on TCP/IP V1.0b, section 4.4.2.1).
    package var broadcastsUnit0: Bool
    /// Whether a response must be of the unit that was asked; some gateways answer as unit 1 or 0 whatever was asked.
    package var checksUnits: Bool

    /// The rules with this map, with or without broadcasts, and with units that are checked or ignored.
    package init(unitMap: UnitMap = UnitMap(), broadcastsUnit0: Bool = false, checksUnits: Bool = true) {
        self.unitMap = unitMap
        self.broadcastsUnit0 = broadcastsUnit0
        self.checksUnits = checksUnits
    }

    /// Modbus clients keep their connection open while they wait (Modbus Messaging on TCP/IP V1.0b, section 4.2).
    package var allowsHalfClosure: Bool { false }

    /// Requests are sent whole, and only those of functions that there are.
    package func refusal(of request: Span<UInt8>) -> RequestRefusal? {
        if case .refused(let refusal) = ModbusRequestForm(of: request) { refusal } else { nil }
    }

    /// A request is told by its unit, as the device calls it, and its function.
    package func request(_ message: Span<UInt8>) -> Request {
        // Unit and function are there: every Modbus framing refuses shorter messages.
        let unit = unitMap[message[0]]
        let function = ModbusFunction(rawValue: message[1])
        let read = Self.read(message, of: unit)
        // What else such a request holds, nobody knows: it may be a write.
        let isUnknown = read == nil && ModbusRequestForm(of: message) == .unknown
        return Request(
            correlation: correlation(unit: unit, function: function),
            mayWrite: function.mayWrite || isUnknown,
            expectsResponse: (unit != 0 || !broadcastsUnit0) && !Self.silences(message),
            responseLength: Self.responseLength(to: message),
            unit: Self.concernsOneUnit(unit) ? unit : nil,
            read: read,
            expectedContent: Self.expectedContent(of: message),
            goesAlone: isUnknown,
            subject: read.map { Request.Subject(rawValue: $0.rawValue) } ?? Self.subject(of: message, unit)
        )
    }

    /// Unit 0 means all of a serial line, and 0 or 255 often the device itself, which answers to other ids as well (Modbus
    /// Messaging on TCP/IP V1.0b, section 4.4.2.1).
    private static func concernsOneUnit(_ unit: UInt8) -> Bool { unit != 0 && unit != 255 }

    /// The four functions that read a range, and have no effect; whole and with nothing after it.
    private static func read(_ message: Span<UInt8>, of unit: UInt8) -> Request.Read? {
        guard message.count == 6, (1...4).contains(message[1]) else { return nil }
        var packed = UInt64(unit)
        for index in 1..<6 { packed = packed << 8 | UInt64(message[index]) }
        return Request.Read(rawValue: packed)
    }

    /// Unit, function and range of what is no plain read; of a function of unknown form no more than unit and function.
    private static func subject(of message: Span<UInt8>, _ unit: UInt8) -> Request.Subject {
        let range =
            switch message[1] {
            case 5, 6, 22, 24: 2..<min(4, message.count)
            case 15, 16: 2..<min(6, message.count)
            case 20, 23: 2..<min(10, message.count)
            case 21: 2..<min(8, message.count)
            default: 2..<2
            }
        var hash = UInt64(unit) << 8 | UInt64(message[1])
        for index in range { hash = (hash &* 0x100_0000_01B3) ^ UInt64(message[index]) }
        // No plain read has the uppermost bit.
        return Request.Subject(rawValue: hash | 1 << 63)
    }

    /// What the answer to a request says, unless it is an exception.
    private static func expectedContent(of message: Span<UInt8>) -> Content {
        switch (message[1], message.count) {
        case (1, 6), (2, 6): .values(bytes: (message.word(at: 4) + 7) / 8)
        case (3, 6), (4, 6): .values(bytes: message.word(at: 4) * 2)
        case (23, 11...): .values(bytes: message.word(at: 4) * 2)
        case (5, 6...), (6, 6...), (15, 6...), (16, 6...): .echo(packed(message, 2..<6))
        case (22, 8): .echo(packed(message, 2..<8))
        default: .any
        }
    }

    private static func packed(_ message: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var packed: UInt64 = 0
        for index in range { packed = packed << 8 | UInt64(message[index]) }
        return packed
    }

    /// Unit, function and range, such as "unit 1: read holding registers (3), address 40000, quantity 2".
    package func summary(ofRequest message: Span<UInt8>) -> String {
        let function = ModbusFunction(rawValue: message[1])
        // None has the exception bit.
        let name = function.rawValue == message[1] ? "\(function)" : "function \(message[1])"
        return "unit \(message[0]): \(name)\(Self.range(of: message))"
    }

    /// The range that a request names, as far as that is there; nothing for functions that name it otherwise.
    private static func range(of message: Span<UInt8>) -> String {
        func number(_ name: String, at offset: Int) -> String {
            offset + 2 <= message.count ? ", \(name) \(message.word(at: offset))" : ""
        }
        return switch message[1] {
        case 1...4, 15, 16: number("address", at: 2) + number("quantity", at: 4)
        case 5, 6, 22, 24: number("address", at: 2)
        case 23:
            number("address", at: 2) + number("quantity", at: 4) + number("written address", at: 6)
                + number("written quantity", at: 8)
        default: ""
        }
    }

    /// The name and the code of an exception, such as "illegal data address (0x02)".
    package func failure(in response: Span<UInt8>) -> String? {
        guard response.count > 1, response[1] & Self.exceptionBit != 0 else { return nil }
        return response.count > 2 ? "\(ModbusException(rawValue: response[2]))" : "none given"
    }

    /// A response repeats unit and function; an exception response has the exception bit set in addition.
    package func response(_ message: Span<UInt8>) -> Response {
        let isException = message[1] & Self.exceptionBit != 0
        let (content, length) = isException ? (.any, 3) : Self.content(ofResponse: message)
        return Response(
            correlation: correlation(unit: message[0], function: ModbusFunction(rawValue: message[1])),
            isFailure: isException,
            content: content,
            surplus: max(message.count - length, 0)
        )
    }

    /// What a response says, and how long it is with that alone.
    private static func content(ofResponse message: Span<UInt8>) -> (Content, length: Int) {
        switch (message[1], message.count) {
        case (1...4, 3...), (23, 3...):
            let bytes = Int(message[2])
            // Fewer than it announces are told as they are.
            return (.values(bytes: min(bytes, message.count - 3)), 3 + bytes)
        case (5, 6...), (6, 6...), (15, 6...), (16, 6...): return (.echo(packed(message, 2..<6)), 6)
        case (22, 8...): return (.echo(packed(message, 2..<8)), 8)
        // Too short for what it should say: it repeats nothing.
        case (1...6, _), (15, _), (16, _), (22, _), (23, _): return (.echo(.max), message.count)
        default: return (.any, message.count)
        }
    }

    /// The request with the unit id that the device knows.
    package func requestForDevice(_ request: Span<UInt8>, into output: inout [UInt8]) {
        output.append(unitMap[request[0]])
        output.append(contentsOf: request.extracting(1...))
    }

    /// The response with the unit id that the client asked for.
    package func responseForClient(
        _ response: Span<UInt8>,
        respondingTo request: Span<UInt8>,
        into output: inout [UInt8]
    ) {
        output.append(request[0])
        output.append(contentsOf: response.extracting(1...))
    }

    /// An exception response: 0x0A where there is no path to the device, 0x0B where it does not answer.
    package func respond(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        let exception: ModbusException =
            switch failure {
            case .unreachable, .draining: .gatewayPathUnavailable
            case .unanswered, .connectionLost, .expired, .heldBack: .gatewayTargetDeviceFailedToRespond
            }
        appendException(exception, to: request, into: &output)
        return true
    }

    /// An exception response: 0x01 for a function that does not exist, else 0x03, as for a count that contradicts a quantity.
    package func respond(toRefused request: Span<UInt8>, _ refusal: RequestRefusal, into output: inout [UInt8]) -> Bool
    {
        appendException(refusal == .illegalFunction ? .illegalFunction : .illegalDataValue, to: request, into: &output)
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

    private func correlation(unit: UInt8, function: ModbusFunction) -> Correlation {
        Correlation(unit: checksUnits ? unit : 0, function: function.rawValue)
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

    /// Unit, function, byte count and `count` bytes; nil where no frame can hold them, so that only an exception can follow.
    private static func length(ofBytes count: Int) -> Int? {
        let length = 3 + count
        return count > 0 && ModbusTCPFraming.lengths.contains(length) ? length : nil
    }
}
