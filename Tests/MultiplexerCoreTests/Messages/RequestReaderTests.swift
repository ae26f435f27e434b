import MultiplexerCore
import Testing

@Suite struct RequestReaderTests {
    private let request: [UInt8] = [0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2]
    private let line = Array("hello\n".utf8)

    private func reader(_ spoken: ApplicationProtocol, isOverTLS: Bool = false) -> RequestReader {
        RequestReader(spoken.wire, isOverTLS: isOverTLS)
    }

    @Test func `a request is named when all of it is there`() {
        var reader = reader(.modbus)
        for count in 0..<request.count {
            let part = Array(request.prefix(count))
            #expect(reader.next(in: part.span, unanswered: 0) == nil)
        }
        let more = request + request
        #expect(reader.next(in: more.span, unanswered: 0) == .request(12))
    }

    @Test func `with ids requests are taken while others are unanswered`() {
        var reader = reader(.modbus)
        #expect(reader.next(in: request.span, unanswered: 7) == .request(12))
        #expect(!reader.hasWaitingRequest && reader.isOpen)
    }

    @Test func `without ids a request waits for the answer to the one before`() {
        var reader = reader(.echo)
        #expect(reader.next(in: line.span, unanswered: 1) == nil)
        #expect(reader.hasWaitingRequest && !reader.isOpen)
        #expect(reader.next(in: line.span, unanswered: 0) == .request(6))
        #expect(!reader.hasWaitingRequest && reader.isOpen)
    }

    @Test func `no request is taken until the pause is over`() {
        var reader = reader(.modbus)
        reader.pause()
        #expect(reader.next(in: request.span, unanswered: 0) == nil)
        #expect(!reader.isOpen && !reader.hasWaitingRequest)
        reader.resume()
        #expect(reader.isOpen)
        #expect(reader.next(in: request.span, unanswered: 0) == .request(12))
    }

    @Test func `a pause that is over does not let a request go that is held`() {
        var reader = reader(.echo)
        #expect(reader.next(in: line.span, unanswered: 1) == nil)
        reader.resume()
        #expect(reader.hasWaitingRequest)
    }

    private static let hello: [UInt8] = [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]

    @Test(arguments: [ApplicationProtocol.modbus, .modbusSerial, .lengthPrefixed, .http])
    func `a client that begins with TLS is known, however little came`(_ spoken: ApplicationProtocol) {
        var reader = reader(spoken)
        for count in 0..<9 {
            let part = Array(Self.hello.prefix(count))
            let reading = reader.next(in: part.span, unanswered: 0)
            if reading == .tls { return }
            #expect(reading == nil)
        }
        #expect(reader.next(in: Self.hello.span, unanswered: 0) == .tls)
    }

    @Test func `what looks like TLS is no TLS behind TLS, or behind a request`() {
        var inside = reader(.modbus, isOverTLS: true)
        #expect(inside.next(in: Self.hello.span, unanswered: 0) != .tls)
        var behind = reader(.modbus)
        #expect(behind.next(in: request.span, unanswered: 0) == .request(12))
        #expect(behind.next(in: Self.hello.span, unanswered: 0) != .tls)
    }

    @Test func `what is no request cannot be read`() {
        var reader = reader(.modbus)
        let bytes: [UInt8] = [0, 1, 0, 9, 0, 6, 1, 3]
        guard case .unreadable = reader.next(in: bytes.span, unanswered: 0) else {
            Issue.record("it was read")
            return
        }
    }

    @Test(
        arguments: [
            ([22], nil), ([22, 3], nil), ([22, 3, 1], nil), ([22, 3, 3, 2, 0, 1, 0, 1], nil),
            ([22, 3, 1, 2, 0, 1, 0, 1, 0xFC], true), ([22, 3, 3, 2, 0, 1, 0, 1, 0xFC, 3, 3], true),
            // The message goes on in another record.
            ([22, 3, 1, 2, 0, 1, 0, 9, 0], true),
            ([22, 3, 1, 2, 0, 1, 0, 1, 0xFB], false), ([22, 3, 1, 2, 0, 2], false), ([22, 3, 1, 2, 0, 1, 1], false),
            ([22, 3, 0, 0], false), ([0], false), ([22, 4], false),
        ] as [([UInt8], Bool?)]
    )
    func `a ClientHello is known by its lengths`(_ bytes: [UInt8], _ expected: Bool?) {
        #expect(RequestReader.isClientHello(bytes.span) == expected)
    }
}
