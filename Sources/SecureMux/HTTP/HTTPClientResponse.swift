import MultiplexerCore
import NIOCore
import NIOHTTP1

/// A response before it takes the form that its client can read.
struct HTTPClientResponse {
    private let record: HTTPResponseRecord
    /// Whether no request of this client will be answered after it.
    let endsConnection: Bool

    /// A response in words.
    init(status: Int, text: String, endsConnection: Bool = false) {
        record = HTTPResponseRecord(
            status: status,
            headers: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"],
            body: ByteBuffer(string: text + "\n")
        )
        self.endsConnection = endsConnection
    }

    /// What stands in the frame that a client gets: the device's response, or that its request failed.
    init?(_ frame: ByteBuffer) {
        let bytes = frame.readableBytesUInt8Span
        guard bytes.count > HTTPRecordFraming.headerLength else { return nil }
        let message = bytes.extracting(HTTPRecordFraming.headerLength..<bytes.count)
        if let failure = HTTPRecord.failure(in: message) {
            self.init(failure)
        } else if let record = HTTPResponseRecord(frame) {
            self.init(record)
        } else {
            return nil
        }
    }

    private init(_ record: HTTPResponseRecord) {
        self.record = record
        endsConnection = false
    }

    private init(_ failure: Failure) {
        switch failure {
        case .unreachable: self.init(status: 502, text: "the device cannot be reached")
        case .connectionLost: self.init(status: 502, text: "the connection to the device failed before it had answered")
        case .heldBack:
            self.init(
                status: 502,
                text: "the device ended its connection on this request; it is not asked again for a while"
            )
        case .unanswered: self.init(status: 504, text: "the device did not answer in time")
        case .expired: self.init(status: 503, text: "the device was busy until the request's time ran out")
        case .draining: self.init(status: 503, text: "the multiplexer is shutting down", endsConnection: true)
        }
    }

    /// What is written to the client: whole, with one length and no more than one.
    func parts(for client: HTTPRequestPlan.Client, isLast: Bool) -> [HTTPServerResponsePart] {
        let status = HTTPResponseStatus(statusCode: record.status)
        var head = HTTPResponseHead(version: .http1_1, status: status, headers: record.headers)
        if isLast {
            head.headers.add(name: "Connection", value: "close")
        } else if client.version == .http1_0 {
            head.headers.add(name: "Connection", value: "keep-alive")
        }
        guard let body = record.body, !client.isHEAD else {
            if let length = record.declaredLength ?? record.body?.readableBytes {
                head.headers.add(name: "Content-Length", value: "\(length)")
            }
            return [.head(head), .end(nil)]
        }
        // Trailers need chunks, which HTTP/1.0 cannot read.
        let trailers = client.version == .http1_0 || record.trailers.isEmpty ? nil : record.trailers
        if trailers == nil {
            head.headers.remove(name: "Trailer")
            head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        } else {
            head.headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        return [.head(head)] + (body.readableBytes > 0 ? [.body(.byteBuffer(body))] : []) + [.end(trailers)]
    }
}
