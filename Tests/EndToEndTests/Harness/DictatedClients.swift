/// Modbus clients that do what a test tells them: `Clients/dictated.py`.
struct DictatedClients {
    let program: RunningProgram

    static func start() throws -> DictatedClients {
        DictatedClients(program: try .client("dictated.py", [], hasInput: true))
    }

    /// Lets clients with these names connect, one after the other.
    func open(_ names: [String], at port: Int, _ options: String...) async throws {
        for name in names {
            try program.tell((["open", name, "\(port)"] + options).joined(separator: " "))
            try await program.line(containing: "\(name) connected")
        }
    }

    /// Has a client send these frames in one go.
    func send(_ name: String, _ frames: String...) throws {
        try send(name, frames)
    }

    func send(_ name: String, _ frames: [String]) throws {
        try program.tell("send \(name) \(frames.joined())")
    }

    /// How a client leaves.
    enum Leaving: String, CaseIterable {
        case close, reset
    }

    /// Has a client leave.
    func leave(_ name: String, by leaving: Leaving = .close) throws {
        try program.tell("\(leaving) \(name)")
    }

    /// What a client has received so far.
    func received(_ name: String) -> [String] {
        program.lines(containing: "\(name) received ").map(Self.frame)
    }

    /// Waits until a client has received `count` frames, and returns them.
    @discardableResult
    func received(_ name: String, _ count: Int, within limit: Duration = .seconds(20)) async throws -> [String] {
        try await program.lines(count, containing: "\(name) received ", within: limit).map(Self.frame)
    }

    private static func frame(_ line: String) -> String {
        line.split(separator: " ").last.map(String.init) ?? ""
    }
}

/// Modbus in hexadecimal.
enum Hex {
    /// A frame of Modbus/TCP.
    static func frame(_ transaction: Int, unit: Int = 1, _ message: String) -> String {
        word(transaction) + "0000" + word(message.count / 2 + 1) + byte(unit) + message
    }

    /// Reads holding registers.
    static func read(_ address: Int, count: Int = 1) -> String { "03" + word(address) + word(count) }

    /// The answer to ``read(_:count:)``.
    static func registers(_ values: Int...) -> String {
        "03" + byte(values.count * 2) + values.map(word).joined()
    }

    /// Reads input registers.
    static func readInput(_ address: Int, count: Int = 1) -> String { "04" + word(address) + word(count) }

    /// What `Devices/modbus_wire.py` has in its registers, as the answer to ``read(_:count:)``.
    static func content(unit: Int = 1, _ address: Int, count: Int = 1) -> String {
        let values = (address..<address + count).map { ($0 * 40_503 + unit * 9_973 + 4_711) & 0xFFFF }
        return "03" + byte(count * 2) + values.map(word).joined()
    }

    /// An exception that is the answer to a function.
    static func exception(_ code: Int, to function: Int) -> String { byte(function | 0x80) + byte(code) }

    /// The bytes of a text.
    static func text(_ text: String) -> String { text.utf8.map { byte(Int($0)) }.joined() }

    /// Without the spaces that are for the eye, and in lower case as clients say it.
    static func plain(_ bytes: String) -> String { bytes.filter { $0 != " " }.lowercased() }

    /// A message of RTU with its checksum.
    static func sealed(_ message: String) -> String {
        let digits = Array(plain(message))
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt16(String(digits[$0...$0 + 1]), radix: 16)
        }
        let sum = bytes.reduce(UInt16(0xFFFF)) { sum, byte in
            (0..<8).reduce(sum ^ byte) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xA001 : 0) }
        }
        return plain(message) + word(Int(sum.byteSwapped))
    }

    /// Writes a register; the answer is the same.
    static func write(_ address: Int, _ value: Int) -> String { "06" + word(address) + word(value) }

    /// Writes one register as one of many.
    static func writeMultiple(_ address: Int, _ value: Int) -> String {
        "10" + word(address) + word(1) + byte(2) + word(value)
    }

    static func byte(_ value: Int) -> String { padded(value, 2) }

    static func word(_ value: Int) -> String { padded(value, 4) }

    private static func padded(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
