/// Whether a request is what the specification says of its function, byte for byte.
///
/// Many devices tell by the function code where a request ends and ignore the length in its header. What a request has too
/// much would then be read as another one, and what it has too little would be taken from the next client's. So only what
/// has one reading is sent.
///
/// Layouts and limits are those of the Modbus Application Protocol Specification V1.1b3, section 6.
package enum ModbusRequestForm: Hashable, Sendable {
    /// It is as its function has it.
    case whole
    /// No specification tells how long a request of its function is, so that it may hide another one.
    case unknown
    /// It is not to be sent.
    case refused(RequestRefusal)

    /// The form of a unit id and a PDU, at least 2 bytes.
    package init(of message: Span<UInt8>) {
        self =
            switch message[1] {
            case 1, 2: Self.read(message, quantity: 1...2000)
            case 3, 4: Self.read(message, quantity: 1...125)
            case 5, 6: Self.length(6, of: message)
            case 7, 11, 12, 17: Self.length(2, of: message)
            case 8: Self.diagnostics(message)
            case 15: Self.write(message, quantity: 1...1968) { ($0 + 7) / 8 }
            case 16: Self.write(message, quantity: 1...123) { $0 * 2 }
            case 20: Self.fileReads(message)
            case 21: Self.fileWrites(message)
            case 22: Self.length(8, of: message)
            case 23: Self.readAndWrite(message)
            case 24: Self.length(4, of: message)
            case 43: Self.encapsulated(message)
            case 0, ModbusMessageRules.exceptionBit...: .refused(.illegalFunction)
            default: .unknown
            }
    }

    private static func length(_ length: Int, of message: Span<UInt8>) -> Self {
        message.count == length ? .whole : .refused(.length)
    }

    /// Functions 1 to 4: address and quantity.
    private static func read(_ message: Span<UInt8>, quantity: ClosedRange<Int>) -> Self {
        guard message.count == 6 else { return .refused(.length) }
        return range(message, at: 2, quantity: quantity)
    }

    /// Functions 15 and 16: address, quantity, byte count, values.
    private static func write(
        _ message: Span<UInt8>,
        quantity: ClosedRange<Int>,
        bytes: (Int) -> Int
    ) -> Self {
        guard message.count >= 7 else { return .refused(.length) }
        return values(message, at: 2, quantity: quantity, bytes: bytes)
    }

    /// Function 23: address and quantity to read, then those to write, byte count, values.
    private static func readAndWrite(_ message: Span<UInt8>) -> Self {
        guard message.count >= 11 else { return .refused(.length) }
        let read = range(message, at: 2, quantity: 1...125)
        return read == .whole ? values(message, at: 6, quantity: 1...121) { $0 * 2 } : read
    }

    /// Address and quantity, byte count, and as many bytes up to the end.
    private static func values(
        _ message: Span<UInt8>,
        at start: Int,
        quantity: ClosedRange<Int>,
        bytes: (Int) -> Int
    ) -> Self {
        let count = Int(message[start + 4])
        guard count == bytes(message.word(at: start + 2)) else { return .refused(.byteCount) }
        guard message.count == start + 5 + count else { return .refused(.length) }
        return range(message, at: start, quantity: quantity)
    }

    private static func range(_ message: Span<UInt8>, at start: Int, quantity allowed: ClosedRange<Int>) -> Self {
        let (address, quantity) = (message.word(at: start), message.word(at: start + 2))
        guard allowed.contains(quantity) else { return .refused(.quantity) }
        return address + quantity <= 0x1_0000 ? .whole : .refused(.range)
    }

    /// Function 8: one word follows the sub-functions that the specification names, any number of them the first one.
    ///
    /// How a device reads a longer one, or a sub-function of its vendor, nobody knows.
    private static func diagnostics(_ message: Span<UInt8>) -> Self {
        guard message.count >= 6 else { return .refused(.length) }
        switch message.word(at: 2) {
        case 0 where message.count == 6: return .whole
        case 1...4, 10...18, 20: return length(6, of: message)
        default: return .unknown
        }
    }

    /// Function 20: a byte count, then file, record and length of each part after reference type 6.
    private static func fileReads(_ message: Span<UInt8>) -> Self {
        guard message.count >= 3, message.count == 3 + Int(message[2]) else { return .refused(.length) }
        guard (7...0xF5).contains(message[2]), message[2] % 7 == 0 else { return .refused(.byteCount) }
        var responseBytes = 0
        for start in stride(from: 3, to: message.count, by: 7) {
            let part = filePart(message, at: start)
            guard part == .whole else { return part }
            responseBytes += 2 + 2 * message.word(at: start + 5)
        }
        return responseBytes <= 0xF5 ? .whole : .refused(.quantity)
    }

    /// Function 21: a byte count, then file, record, length and values of each part after reference type 6.
    private static func fileWrites(_ message: Span<UInt8>) -> Self {
        guard message.count >= 3, message.count == 3 + Int(message[2]) else { return .refused(.length) }
        guard (9...0xFB).contains(message[2]) else { return .refused(.byteCount) }
        var start = 3
        while start < message.count {
            guard message.count >= start + 7 else { return .refused(.length) }
            let part = filePart(message, at: start)
            guard part == .whole else { return part }
            start += 7 + 2 * message.word(at: start + 5)
        }
        return start == message.count ? .whole : .refused(.length)
    }

    private static func filePart(_ message: Span<UInt8>, at start: Int) -> Self {
        guard message[start] == 6 else { return .refused(.reference) }
        let (file, record) = (message.word(at: start + 1), message.word(at: start + 3))
        let length = message.word(at: start + 5)
        guard length > 0 else { return .refused(.quantity) }
        return file > 0 && record + length <= 10_000 ? .whole : .refused(.range)
    }

    /// Function 43: of its types only Read Device Identification has a length that is known.
    private static func encapsulated(_ message: Span<UInt8>) -> Self {
        guard message.count >= 3 else { return .refused(.length) }
        return message[2] == ModbusMessageRules.readDeviceIdentification ? length(5, of: message) : .unknown
    }
}
