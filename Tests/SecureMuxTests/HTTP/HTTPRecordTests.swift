import NIOCore
import NIOHTTP1
import Testing

@testable import SecureMux

@Suite struct HTTPRecordTests {
    static let requests = [
        HTTPRequestRecord(method: .GET, target: "/", headers: [:]),
        HTTPRequestRecord(
            method: .RAW(value: "QUERY"),
            target: "/a?b",
            headers: HTTPHeaders([("A", "1"), ("a", ""), ("B", "ü")]),
            body: ByteBuffer(bytes: [0, 1, 255]),
            trailers: ["X": "y"]
        ),
    ]
    static let responses = [
        HTTPResponseRecord(status: 204, headers: [:]),
        HTTPResponseRecord(status: 304, headers: ["A": "b"], declaredLength: 1 << 40, isLast: true),
        HTTPResponseRecord(
            status: 999,
            headers: HTTPHeaders([("A", "1"), ("a", "2")]),
            body: ByteBuffer(bytes: [0, 1, 255]),
            trailers: ["X": "y"]
        ),
    ]

    @Test(arguments: requests)
    func `a request is read as it was written`(_ record: HTTPRequestRecord) {
        #expect(HTTPRequestRecord(record.frame) == record)
        #expect(HTTPResponseRecord(record.frame) == nil)
    }

    @Test(arguments: responses)
    func `a response is read as it was written`(_ record: HTTPResponseRecord) {
        #expect(HTTPResponseRecord(record.frame) == record)
        #expect(HTTPRequestRecord(record.frame) == nil)
    }

    @Test func `a damaged record is none, and never more than that`() {
        for frame in Self.requests.map(\.frame) + Self.responses.map(\.frame) {
            for length in 0..<frame.readableBytes {
                let part = frame.getSlice(at: frame.readerIndex, length: length) ?? ByteBuffer()
                #expect(HTTPRequestRecord(part) == nil && HTTPResponseRecord(part) == nil)
                for byte: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                    var damaged = frame
                    damaged.setInteger(byte, at: frame.readerIndex + length)
                    _ = HTTPRequestRecord(damaged)
                    _ = HTTPResponseRecord(damaged)
                    _ = HTTPClientResponse(damaged)
                }
            }
        }
    }
}
