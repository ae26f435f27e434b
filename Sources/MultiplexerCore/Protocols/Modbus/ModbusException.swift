/// A Modbus exception code: why a request was refused or failed.
///
/// Modbus Application Protocol Specification V1.1b3, section 7.
package struct ModbusException: RawRepresentable, Hashable, Sendable, Error {
    /// The code on the wire.
    package let rawValue: UInt8

    /// The exception with this code, named by the specification or not.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The device does not know the function, or the client may not use it.
    package static let illegalFunction = ModbusException(rawValue: 0x01)
    /// The device has no such register or coil.
    package static let illegalDataAddress = ModbusException(rawValue: 0x02)
    /// The request is malformed or its value is not allowed.
    package static let illegalDataValue = ModbusException(rawValue: 0x03)
    /// The device failed while it carried out the request.
    package static let serverDeviceFailure = ModbusException(rawValue: 0x04)
    /// The device works on the request; its result is to be asked for later.
    package static let acknowledge = ModbusException(rawValue: 0x05)
    /// The device is busy; the client may try again later.
    package static let serverDeviceBusy = ModbusException(rawValue: 0x06)
    /// The device found a parity error in its extended memory.
    package static let memoryParityError = ModbusException(rawValue: 0x08)
    /// A gateway has no path to the device: here, no connection to it.
    package static let gatewayPathUnavailable = ModbusException(rawValue: 0x0A)
    /// A gateway got no answer from the device.
    package static let gatewayTargetDeviceFailedToRespond = ModbusException(rawValue: 0x0B)
}

extension ModbusException: CustomStringConvertible {
    /// The name and the code, such as "illegal data address (0x02)".
    package var description: String {
        let hex = String(rawValue, radix: 16, uppercase: true)
        return "\(name) (0x\(hex.count < 2 ? "0" : "")\(hex))"
    }

    private var name: String {
        switch self {
        case .illegalFunction: "illegal function"
        case .illegalDataAddress: "illegal data address"
        case .illegalDataValue: "illegal data value"
        case .serverDeviceFailure: "server device failure"
        case .acknowledge: "acknowledge"
        case .serverDeviceBusy: "server device busy"
        case .memoryParityError: "memory parity error"
        case .gatewayPathUnavailable: "gateway path unavailable"
        case .gatewayTargetDeviceFailedToRespond: "gateway target device failed to respond"
        default: "unknown exception"
        }
    }
}
