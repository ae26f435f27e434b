/// How far a Modbus RTU frame reaches, checksum included, as its beginning tells.
///
/// Layouts are those of the Modbus Application Protocol Specification V1.1b3, section 6.
enum ModbusRTUExtent {
    /// So many bytes.
    case bytes(Int)
    /// All that has arrived, once its checksum is right.
    case everything

    /// How far a request reaches that begins with these bytes, at least 2; nil when more are needed to tell.
    ///
    /// - Throws: ``FramingError`` when its byte count does not fit its quantity.
    init?(ofRequest bytes: Span<UInt8>) throws(FramingError) {
        switch bytes[1] {
        case 1...6: self = .bytes(8)
        case 7, 11, 12, 17: self = .bytes(4)
        case 8:
            guard let extent = Self(ofDiagnostics: bytes) else { return nil }
            self = extent
        case 15:
            guard let count = try byteCount(of: bytes, at: 6, quantityAt: 4, { ($0 + 7) / 8 }) else { return nil }
            self = .bytes(9 + count)
        case 16:
            guard let count = try byteCount(of: bytes, at: 6, quantityAt: 4, { $0 * 2 }) else { return nil }
            self = .bytes(9 + count)
        case 20, 21:
            guard bytes.count > 2 else { return nil }
            self = .bytes(5 + Int(bytes[2]))
        case 22: self = .bytes(10)
        case 23:
            guard let count = try byteCount(of: bytes, at: 10, quantityAt: 8, { $0 * 2 }) else { return nil }
            self = .bytes(13 + count)
        case 24: self = .bytes(6)
        case 43:
            guard bytes.count > 2 else { return nil }
            self = bytes[2] == readDeviceIdentification ? .bytes(7) : .everything
        default: self = .everything
        }
    }

    /// How far a response reaches that begins with these bytes, at least 2; nil when more are needed to tell.
    ///
    /// - Parameters:
    ///   - bytes: The beginning of the response.
    ///   - messageLength: How long the request says it is without its checksum, unless it is an exception.
    /// - Throws: ``FramingError`` when it says something else of itself.
    init?(ofResponse bytes: Span<UInt8>, messageLength: Int?) throws(FramingError) {
        guard bytes[1] < ModbusMessageRules.exceptionBit else {
            self = .bytes(5)
            return
        }
        guard let extent = try Self(ofResultIn: bytes, messageLength) else { return nil }
        if case .bytes(let length) = extent, let messageLength, length != messageLength + ModbusCRC.length {
            throw .frame("of \(length) bytes instead of \(messageLength + ModbusCRC.length)", of: bytes)
        }
        self = extent
    }

    private init?(ofResultIn bytes: Span<UInt8>, _ messageLength: Int?) throws(FramingError) {
        switch bytes[1] {
        case 1...4, 12, 17, 20, 21, 23:
            guard bytes.count > 2 else { return nil }
            self = .bytes(5 + Int(bytes[2]))
        case 5, 6, 11, 15, 16: self = .bytes(8)
        case 7: self = .bytes(5)
        case 8:
            let known = messageLength.map { Self.bytes($0 + ModbusCRC.length) }
            guard let extent = known ?? Self(ofDiagnostics: bytes) else { return nil }
            self = extent
        case 22: self = .bytes(10)
        case 24:
            guard bytes.count > 3 else { return nil }
            self = .bytes(6 + bytes.word(at: 2))
        case 43:
            guard bytes.count > 2 else { return nil }
            guard bytes[2] == readDeviceIdentification else {
                self = .everything
                return
            }
            guard let length = lengthOfIdentification(bytes) else { return nil }
            self = .bytes(length)
        default: self = .everything
        }
    }

    /// One data word follows the sub-function, but any number of them Return Query Data (0).
    private init?(ofDiagnostics bytes: Span<UInt8>) {
        guard bytes.count > 3 else { return nil }
        self = bytes.word(at: 2) == 0 ? .everything : .bytes(8)
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

/// Walks the objects behind their count in byte 7: an id, a length and so many bytes each.
///
/// A length beyond all limits is given as soon as it is known.
private func lengthOfIdentification(_ bytes: Span<UInt8>) -> Int? {
    guard bytes.count > 7 else { return nil }
    var end = 8
    for _ in 0..<bytes[7] {
        guard end + ModbusCRC.length <= ModbusRTUFraming.lengths.upperBound else { break }
        guard bytes.count > end + 1 else { return nil }
        end += 2 + Int(bytes[end + 1])
    }
    return end + ModbusCRC.length
}

extension Span<UInt8> {
    /// Two bytes, the higher one first.
    func word(at index: Int) -> Int {
        Int(self[index]) << 8 | Int(self[index + 1])
    }
}
