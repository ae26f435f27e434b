import MultiplexerCore
import NIOCore
import NIOHTTP1

/// A whole response as it travels from the device's codec to a client's.
struct HTTPResponseRecord: Equatable {
    /// Its status.
    var status: Int
    /// The fields that travel on.
    var headers: HTTPHeaders
    /// The length that is named where no body follows.
    var declaredLength: Int?
    /// The body, chunks put together; nil where there can be none.
    var body: ByteBuffer?
    /// The trailer fields.
    var trailers = HTTPHeaders()
    /// Whether the device takes no further request on this connection.
    var isLast = false

    /// The record in its frame; what stands at its start is laid down in ``HTTPRecord``.
    var frame: ByteBuffer {
        var frame = ByteBuffer()
        frame.writeInteger(UInt32(0))
        frame.writeInteger(HTTPRecord.response)
        frame.writeInteger(isLast ? HTTPRecord.isLast : 0)
        frame.writeInteger(UInt16(truncatingIfNeeded: status))
        frame.writeInteger(Int64(declaredLength ?? -1))
        frame.writeRecord(headers: headers)
        frame.writeRecord(headers: trailers)
        frame.writeRecord(body: body)
        frame.setRecordLength()
        return frame
    }
}

extension HTTPResponseRecord {
    /// Reads a frame; nil when it is none of a response.
    init?(_ frame: ByteBuffer) {
        var frame = frame
        guard frame.readRecordLength(), frame.readInteger() == HTTPRecord.response,
            let flags: UInt8 = frame.readInteger(),
            let status: UInt16 = frame.readInteger(),
            let declaredLength: Int64 = frame.readInteger(),
            let headers = frame.readRecordHeaders(),
            let trailers = frame.readRecordHeaders(),
            let body = frame.readRecordBody(), frame.readableBytes == 0
        else { return nil }
        self.status = Int(status)
        self.headers = headers
        self.declaredLength = declaredLength < 0 ? nil : Int(declaredLength)
        self.body = body
        self.trailers = trailers
        isLast = flags & HTTPRecord.isLast != 0
    }
}
