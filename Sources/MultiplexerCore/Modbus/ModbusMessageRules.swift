/// What Modbus messages say: unit id, function code, data.
package struct ModbusMessageRules: MessageRules {
    static let exceptionBit: UInt8 = 0x80

    /// The one set of these rules.
    package init() {}

    /// Modbus clients keep their connection open while they wait (Modbus Messaging on TCP/IP V1.0b, section 4.2).
    package var answersAfterEndOfInput: Bool { false }

    /// A request is told by its unit and function.
    package func request(_ message: Span<UInt8>) -> Request {
        let function = ModbusFunction(rawValue: message[1])
        return Request(correlation: Self.correlation(unit: message[0], function: function), mayWrite: function.mayWrite)
    }

    /// The unit and the function, such as "unit 1: read holding registers (3)".
    package func summary(ofRequest message: Span<UInt8>) -> String {
        "unit \(message[0]): \(ModbusFunction(rawValue: message[1]))"
    }

    /// A response repeats unit and function; an exception response has the exception bit set beside.
    package func response(_ message: Span<UInt8>) -> Response {
        Response(correlation: Self.correlation(unit: message[0], function: ModbusFunction(rawValue: message[1])))
    }

    /// An exception response: 0x0A where there is no path to the device, 0x0B where it does not answer.
    package func reply(toFailed request: Span<UInt8>, _ failure: Failure, into output: inout [UInt8]) -> Bool {
        let exception: ModbusException =
            switch failure {
            case .unreachable, .draining: .gatewayPathUnavailable
            case .unanswered, .connectionLost, .expired: .gatewayTargetDeviceFailedToRespond
            }
        output.append(request[0])
        output.append(request[1] | Self.exceptionBit)
        output.append(exception.rawValue)
        return true
    }

    private static func correlation(unit: UInt8, function: ModbusFunction) -> Correlation {
        Correlation(rawValue: UInt64(unit) << 8 | UInt64(function.rawValue))
    }
}
