/// A Modbus function code: what a request asks the device to do.
///
/// Codes and names are those of the Modbus Application Protocol Specification V1.1b3, section 5.1. Codes that it does not
/// name pass through like any other: vendors use them.
package struct ModbusFunction: RawRepresentable, Hashable, Sendable {
    /// The code on the wire, without the exception bit.
    package let rawValue: UInt8

    /// The function with this code; the exception bit (0x80), where set, is dropped.
    package init(rawValue: UInt8) {
        self.rawValue = rawValue & 0x7F
    }

    /// Read Coils.
    package static let readCoils = ModbusFunction(rawValue: 0x01)
    /// Read Discrete Inputs.
    package static let readDiscreteInputs = ModbusFunction(rawValue: 0x02)
    /// Read Holding Registers.
    package static let readHoldingRegisters = ModbusFunction(rawValue: 0x03)
    /// Read Input Registers.
    package static let readInputRegisters = ModbusFunction(rawValue: 0x04)
    /// Write Single Coil.
    package static let writeSingleCoil = ModbusFunction(rawValue: 0x05)
    /// Write Single Register.
    package static let writeSingleRegister = ModbusFunction(rawValue: 0x06)
    /// Read Exception Status (serial line only).
    package static let readExceptionStatus = ModbusFunction(rawValue: 0x07)
    /// Diagnostics (serial line only).
    package static let diagnostics = ModbusFunction(rawValue: 0x08)
    /// Get Comm Event Counter (serial line only).
    package static let getCommEventCounter = ModbusFunction(rawValue: 0x0B)
    /// Get Comm Event Log (serial line only).
    package static let getCommEventLog = ModbusFunction(rawValue: 0x0C)
    /// Write Multiple Coils.
    package static let writeMultipleCoils = ModbusFunction(rawValue: 0x0F)
    /// Write Multiple Registers.
    package static let writeMultipleRegisters = ModbusFunction(rawValue: 0x10)
    /// Report Server ID (serial line only).
    package static let reportServerID = ModbusFunction(rawValue: 0x11)
    /// Read File Record.
    package static let readFileRecord = ModbusFunction(rawValue: 0x14)
    /// Write File Record.
    package static let writeFileRecord = ModbusFunction(rawValue: 0x15)
    /// Mask Write Register.
    package static let maskWriteRegister = ModbusFunction(rawValue: 0x16)
    /// Read/Write Multiple Registers.
    package static let readWriteMultipleRegisters = ModbusFunction(rawValue: 0x17)
    /// Read FIFO Queue.
    package static let readFIFOQueue = ModbusFunction(rawValue: 0x18)
    /// Encapsulated Interface Transport, among others Read Device Identification.
    package static let encapsulatedInterfaceTransport = ModbusFunction(rawValue: 0x2B)

    /// Whether the request may change the device, so that sending it twice could act twice.
    ///
    /// Only the functions known to do nothing but read say no: an unknown code may be a vendor's write.
    package var mayWrite: Bool {
        switch self {
        case .readCoils, .readDiscreteInputs, .readHoldingRegisters, .readInputRegisters, .readExceptionStatus,
            .getCommEventCounter, .getCommEventLog, .reportServerID, .readFileRecord, .readFIFOQueue:
            false
        default:
            true
        }
    }
}

extension ModbusFunction: CustomStringConvertible {
    /// The name and the code, such as "read holding registers (3)".
    package var description: String {
        "\(name) (\(rawValue))"
    }

    private var name: String {
        switch self {
        case .readCoils: "read coils"
        case .readDiscreteInputs: "read discrete inputs"
        case .readHoldingRegisters: "read holding registers"
        case .readInputRegisters: "read input registers"
        case .writeSingleCoil: "write single coil"
        case .writeSingleRegister: "write single register"
        case .readExceptionStatus: "read exception status"
        case .diagnostics: "diagnostics"
        case .getCommEventCounter: "get comm event counter"
        case .getCommEventLog: "get comm event log"
        case .writeMultipleCoils: "write multiple coils"
        case .writeMultipleRegisters: "write multiple registers"
        case .reportServerID: "report server id"
        case .readFileRecord: "read file record"
        case .writeFileRecord: "write file record"
        case .maskWriteRegister: "mask write register"
        case .readWriteMultipleRegisters: "read/write multiple registers"
        case .readFIFOQueue: "read FIFO queue"
        case .encapsulatedInterfaceTransport: "encapsulated interface transport"
        default: "function"
        }
    }
}
