import MultiplexerCore
import Testing

/// A request and what answers it, each as unit id and PDU.
struct ModbusExchange: Sendable, CustomTestStringConvertible {
    let name: String
    let request: [UInt8]
    let response: [UInt8]
    /// Whether only the end of what has arrived shows where the request, or the response, ends.
    var isRequestOpen = false
    var isResponseOpen = false
    /// Whether the request tells how long the response is.
    var tellsLength = false

    var testDescription: String { name }
}

extension ModbusExchange {
    private static func told(_ name: String, _ request: [UInt8], _ response: [UInt8]) -> ModbusExchange {
        ModbusExchange(name: name, request: request, response: response, tellsLength: true)
    }

    private static func untold(_ name: String, _ request: [UInt8], _ response: [UInt8]) -> ModbusExchange {
        ModbusExchange(name: name, request: request, response: response)
    }

    private static func vendor(_ name: String, _ request: [UInt8], _ response: [UInt8]) -> ModbusExchange {
        ModbusExchange(name: name, request: request, response: response, isRequestOpen: true, isResponseOpen: true)
    }

    /// One of each function, most of them the examples of the Modbus Application Protocol Specification V1.1b3, section 6.
    static let all = told + untold + open

    private static let told: [ModbusExchange] = [
        told("1 read coils", [0x11, 1, 0x00, 0x13, 0x00, 0x13], [0x11, 1, 3, 0xCD, 0x6B, 0x05]),
        told("1 read 2000 coils", [1, 1, 0, 0, 0x07, 0xD0], [1, 1, 250] + [UInt8](repeating: 0xA5, count: 250)),
        told("2 read discrete inputs", [0x11, 2, 0x00, 0xC4, 0x00, 0x16], [0x11, 2, 3, 0xAC, 0xDB, 0x35]),
        told("3 read holding registers", [1, 3, 0x00, 0x6B, 0x00, 0x03], [1, 3, 6, 0x02, 0x2B, 0, 0, 0, 0x64]),
        told("3 read 125 registers", [1, 3, 0, 0, 0, 125], [1, 3, 250] + [UInt8](repeating: 0x5A, count: 250)),
        told("4 read input registers", [1, 4, 0x00, 0x08, 0x00, 0x01], [1, 4, 2, 0x00, 0x0A]),
        told("5 write single coil", [1, 5, 0x00, 0xAC, 0xFF, 0x00], [1, 5, 0x00, 0xAC, 0xFF, 0x00]),
        told("6 write single register", [1, 6, 0x00, 0x01, 0x00, 0x03], [1, 6, 0x00, 0x01, 0x00, 0x03]),
        told("7 read exception status", [1, 7], [1, 7, 0x6D]),
        told("8 diagnostics, sub-function 2", [1, 8, 0, 2, 0, 0], [1, 8, 0, 2, 0x12, 0x34]),
        told("11 get comm event counter", [1, 11], [1, 11, 0xFF, 0xFF, 0x01, 0x08]),
        told("15 write coils", [1, 15, 0x00, 0x13, 0x00, 0x0A, 2, 0xCD, 0x01], [1, 15, 0x00, 0x13, 0x00, 0x0A]),
        told(
            "15 write 1968 coils",
            [1, 15, 0, 0, 0x07, 0xB0, 246] + [UInt8](repeating: 0xFF, count: 246),
            [1, 15, 0, 0, 0x07, 0xB0]
        ),
        told("16 write registers", [1, 16, 0, 1, 0, 2, 4, 0, 10, 1, 2], [1, 16, 0, 1, 0, 2]),
        told(
            "16 write 123 registers",
            [1, 16, 0, 0, 0, 123, 246] + [UInt8](repeating: 0x11, count: 246),
            [1, 16, 0, 0, 0, 123]
        ),
        told("22 mask write register", [1, 22, 0, 4, 0, 0xF2, 0, 0x25], [1, 22, 0, 4, 0, 0xF2, 0, 0x25]),
        told(
            "23 read/write registers",
            [1, 23, 0, 3, 0, 6, 0, 0x0E, 0, 3, 6, 0, 0xFF, 0, 0xFF, 0, 0xFF],
            [1, 23, 12, 0, 0xFE, 0x0A, 0xCD, 0, 1, 0, 3, 0, 0x0D, 0, 0xFF]
        ),
        told(
            "23 write 121 registers",
            [1, 23, 0, 0, 0, 1, 0, 0, 0, 121, 242] + [UInt8](repeating: 0x22, count: 242),
            [1, 23, 2, 0, 1]
        ),
    ]

    private static let untold: [ModbusExchange] = [
        untold("12 get comm event log", [1, 12], [1, 12, 8, 0, 0, 0x01, 0x08, 0x01, 0x21, 0x20, 0x00]),
        untold("17 report server id", [1, 17], [1, 17, 4, 0x41, 0x42, 0x43, 0xFF]),
        untold(
            "20 read file record",
            [1, 20, 14, 6, 0, 4, 0, 1, 0, 2, 6, 0, 3, 0, 9, 0, 2],
            [1, 20, 12, 5, 6, 0x0D, 0xFE, 0, 0x20, 5, 6, 0x33, 0xCD, 0, 0x40]
        ),
        untold(
            "21 write file record",
            [1, 21, 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xAF, 4, 0xBE, 0x10, 0x0D],
            [1, 21, 13, 6, 0, 4, 0, 7, 0, 3, 6, 0xAF, 4, 0xBE, 0x10, 0x0D]
        ),
        untold("24 read FIFO queue", [1, 24, 0x04, 0xDE], [1, 24, 0, 6, 0, 2, 0x01, 0xB8, 0x12, 0x84]),
        untold(
            "43/14 read device identification",
            [1, 43, 14, 1, 0],
            [1, 43, 14, 1, 1, 0, 0, 3] + object(0, "Company") + object(1, "Product") + object(2, "V2.11")
        ),
        untold("43/14 without objects", [1, 43, 14, 1, 0], [1, 43, 14, 1, 1, 0, 0, 0]),
        untold("43/14 with an empty object", [1, 43, 14, 4, 1], [1, 43, 14, 4, 0x81, 0, 0, 1, 1, 0]),
        // The longest: 256 bytes with the checksum.
        untold(
            "43/14 with a long object",
            [1, 43, 14, 4, 0x80],
            [1, 43, 14, 4, 0x83, 0, 0, 1] + object(0x80, String(repeating: "x", count: 244))
        ),
    ]

    private static let open: [ModbusExchange] = [
        ModbusExchange(
            name: "8 return query data",
            request: [1, 8, 0, 0, 0xA5, 0x37],
            response: [1, 8, 0, 0, 0xA5, 0x37],
            isRequestOpen: true,
            tellsLength: true
        ),
        ModbusExchange(
            name: "8 return much query data",
            request: [1, 8, 0, 0] + [UInt8](repeating: 0x77, count: 250),
            response: [1, 8, 0, 0] + [UInt8](repeating: 0x77, count: 250),
            isRequestOpen: true,
            tellsLength: true
        ),
        vendor("43/13 CANopen", [1, 43, 13, 0x10, 0x20, 0x30], [1, 43, 13, 0x40]),
        vendor("65 of a vendor", [1, 65, 0x24, 0x01, 0x00], [1, 65, 0x24, 0x03, 1, 2, 3]),
        vendor("100 of a vendor, without data", [1, 100], [1, 100]),
        vendor(
            "110 of a vendor, as long as can be",
            [1, 110] + [UInt8](repeating: 0x99, count: 252),
            [1, 110] + [UInt8](repeating: 0x67, count: 252)
        ),
    ]

    private static func object(_ id: UInt8, _ text: String) -> [UInt8] {
        [id, UInt8(text.utf8.count)] + Array(text.utf8)
    }
}
