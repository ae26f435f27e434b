import MultiplexerCore
import NIOCore
import NIOHTTP1

/// A whole request as it travels from a client's codec to the device's.
struct HTTPRequestRecord: Equatable {
    /// What is asked.
    var method: HTTPMethod
    /// For what.
    var target: String
    /// The fields that travel on.
    var headers: HTTPHeaders
    /// The body, chunks put together; nil where the head named no length.
    var body: ByteBuffer?
    /// The trailer fields.
    var trailers = HTTPHeaders()

    /// The record in its frame; what stands at its start is laid down in ``HTTPRecord``.
    var frame: ByteBuffer {
        var frame = ByteBuffer()
        let method = method.rawValue
        frame.writeInteger(UInt32(0))
        frame.writeInteger(HTTPRecord.request)
        frame.writeInteger(isSafe ? HTTPRecord.isSafe : 0)
        frame.writeInteger(UInt8(truncatingIfNeeded: method.utf8.count))
        frame.writeInteger(UInt32(truncatingIfNeeded: target.utf8.count))
        frame.writeString(method)
        frame.writeString(target)
        frame.writeRecord(headers: headers)
        frame.writeRecord(headers: trailers)
        frame.writeRecord(body: body)
        frame.setRecordLength()
        return frame
    }

    /// Whether it changes nothing.
    ///
    /// RFC 9110, section 9.2.1, has it so for these methods; but gadgets switch relays with `GET /relay?turn=on`.
    private var isSafe: Bool {
        switch method {
        case .GET, .HEAD, .OPTIONS, .TRACE: !target.utf8.contains(UInt8(ascii: "?")) && (body?.readableBytes ?? 0) == 0
        default: false
        }
    }
}

extension HTTPRequestRecord {
    /// Reads a frame; nil when it is none of a request.
    init?(_ frame: ByteBuffer) {
        var frame = frame
        guard frame.readRecordLength(), frame.readInteger() == HTTPRecord.request,
            let _: UInt8 = frame.readInteger(),
            let methodLength: UInt8 = frame.readInteger(),
            let targetLength: UInt32 = frame.readInteger(),
            let method = frame.readString(length: Int(methodLength)),
            let target = frame.readString(length: Int(targetLength)),
            let headers = frame.readRecordHeaders(),
            let trailers = frame.readRecordHeaders(),
            let body = frame.readRecordBody(), frame.readableBytes == 0
        else { return nil }
        self.method = HTTPMethod(rawValue: method)
        self.target = target
        self.headers = headers
        self.trailers = trailers
        self.body = body
    }
}
