/// How far a Modbus message reaches, unit id and PDU, as its beginning tells: on a serial wire nothing else does.
///
/// Layouts are those of the Modbus Application Protocol Specification V1.1b3, section 6.
enum ModbusExtent: Equatable {
    /// This many bytes.
    case bytes(Int)
    /// No standard tells.
    case unknown

    /// How far a request reaches that begins with these bytes, at least 2; nil when more are needed to tell.
    ///
    /// - Throws: ``FramingError`` when its byte count does not fit its quantity.
    init?(ofRequest bytes: Span<UInt8>) throws(FramingError) {
        switch bytes[1] {
        case 1...6: self = .bytes(6)
        case 7, 11, 12, 17: self = .bytes(2)
        case 8:
            guard let extent = Self(ofDiagnostics: bytes) else { return nil }
            self = extent
        case 15:
            guard let count = try byteCount(of: bytes, at: 6, quantityAt: 4, { ($0 + 7) / 8 }) else { return nil }
            self = .bytes(7 + count)
        case 16:
            guard let count = try byteCount(of: bytes, at: 6, quantityAt: 4, { $0 * 2 }) else { return nil }
            self = .bytes(7 + count)
        case 20, 21:
            guard bytes.count > 2 else { return nil }
            self = .bytes(3 + Int(bytes[2]))
        case 22: self = .bytes(8)
        case 23:
            guard let count = try byteCount(of: bytes, at: 10, quantityAt: 8, { $0 * 2 }) else { return nil }
            self = .bytes(11 + count)
        case 24: self = .bytes(4)
        case 43:
            guard bytes.count > 2 else { return nil }
            self = bytes[2] == readDeviceIdentification ? .bytes(5) : .unknown
        default: self = .unknown
        }
    }

    /// How far a response reaches that begins with these bytes, at least 2; nil when more are needed to tell.
    ///
    /// - Parameters:
    ///   - bytes: The beginning of the response.
    ///   - requested: The length that its request tells, for functions where nothing else does.
    init?(ofResponse bytes: Span<UInt8>, requested: Int? = nil) {
        switch bytes[1] {
        case ModbusMessageRules.exceptionBit...: self = .bytes(3)
        case let function where Self.countsBytes(function):
            guard bytes.count > 2 else { return nil }
            self = .bytes(3 + Int(bytes[2]))
        case 5, 6, 11, 15, 16: self = .bytes(6)
        case 7: self = .bytes(3)
        case 8:
            guard let extent = requested.map(Self.bytes) ?? Self(ofDiagnostics: bytes) else { return nil }
            self = extent
        case 22: self = .bytes(8)
        case 24:
            guard bytes.count > 3 else { return nil }
            self = .bytes(4 + bytes.word(at: 2))
        case 43:
            guard bytes.count > 2 else { return nil }
            guard bytes[2] == readDeviceIdentification else {
                self = .unknown
                return
            }
            guard let length = lengthOfIdentification(bytes) else { return nil }
            self = .bytes(length)
        default: self = .unknown
        }
    }

    /// Whether the byte after the function says how many follow it in a response.
    static func countsBytes(_ function: UInt8) -> Bool {
        switch function {
        case 1...4, 12, 17, 20, 21, 23: true
        default: false
        }
    }

    /// One data word follows the sub-function, but any number of them Return Query Data (0).
    private init?(ofDiagnostics bytes: Span<UInt8>) {
        guard bytes.count > 3 else { return nil }
        self = bytes.word(at: 2) == 0 ? .unknown : .bytes(6)
    }
}

/// The MEI type of Read Device Identification.
private let readDeviceIdentification: UInt8 = 0x0E

/// A request's byte count, once it is there.
private func byteCount(
    of bytes: Span<UInt8>,
    at index: Int,
    quantityAt quantityIndex: Int,
    _ expected: (Int) -> Int
) throws(FramingError) -> Int? {
    guard bytes.count > index else { return nil }
    let (count, quantity) = (Int(bytes[index]), bytes.word(at: quantityIndex))
    guard count == expected(quantity) else {
        throw .frame("with a byte count of \(count) for a quantity of \(quantity)", of: bytes)
    }
    return count
}

/// Walks the objects after their count in byte 7: an id, a length and as many bytes each.
///
/// A length beyond all limits is given as soon as it is known.
private func lengthOfIdentification(_ bytes: Span<UInt8>) -> Int? {
    guard bytes.count > 7 else { return nil }
    var end = 8
    for _ in 0..<bytes[7] {
        guard end <= ModbusTCPFraming.lengths.upperBound else { break }
        guard bytes.count > end + 1 else { return nil }
        end += 2 + Int(bytes[end + 1])
    }
    return end
}

extension Span<UInt8> {
    /// Two bytes, the higher one first.
    func word(at index: Int) -> Int {
        Int(self[index]) << 8 | Int(self[index + 1])
    }
}
