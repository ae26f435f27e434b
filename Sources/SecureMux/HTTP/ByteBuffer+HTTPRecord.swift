import MultiplexerCore
import NIOCore
import NIOHTTP1

// The parts that records of requests and of responses have in common. Reading gives nil where the bytes are not such a part.

extension ByteBuffer {
    /// Writes the length in front of the record, now that it is known.
    mutating func setRecordLength() {
        setInteger(
            UInt32(truncatingIfNeeded: readableBytes - HTTPRecordFraming.headerLength),
            at: readerIndex
        )
    }

    /// Reads the length in front of a record.
    ///
    /// - Returns: Whether the record is as long.
    mutating func readRecordLength() -> Bool {
        readInteger(as: UInt32.self).map(Int.init) == readableBytes
    }

    mutating func writeRecord(headers: HTTPHeaders) {
        writeInteger(UInt32(truncatingIfNeeded: headers.count))
        for (name, value) in headers {
            writeRecord(text: name)
            writeRecord(text: value)
        }
    }

    mutating func readRecordHeaders() -> HTTPHeaders? {
        guard let count: UInt32 = readInteger() else { return nil }
        var headers = HTTPHeaders()
        for _ in 0..<count {
            guard let name = readRecordText(), let value = readRecordText(), name.utf8.allSatisfy(\.isTokenByte) else {
                return nil
            }
            headers.add(name: name, value: value)
        }
        return headers
    }

    mutating func writeRecord(body: ByteBuffer?) {
        writeInteger(UInt8(body == nil ? 0 : 1))
        guard let body else { return }
        writeInteger(UInt32(truncatingIfNeeded: body.readableBytes))
        writeImmutableBuffer(body)
    }

    /// Reads a body, or that there is none.
    mutating func readRecordBody() -> ByteBuffer?? {
        switch readInteger(as: UInt8.self) {
        case 0: return .some(nil)
        case 1: return readInteger(as: UInt32.self).flatMap { readSlice(length: Int($0)) }.map { $0 }
        default: return nil
        }
    }

    private mutating func writeRecord(text: String) {
        writeInteger(UInt32(truncatingIfNeeded: text.utf8.count))
        writeString(text)
    }

    private mutating func readRecordText() -> String? {
        readInteger(as: UInt32.self).flatMap { readString(length: Int($0)) }
    }
}
