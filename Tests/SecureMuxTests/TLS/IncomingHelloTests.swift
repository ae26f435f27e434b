import NIOCore
import Testing

@testable import SecureMux

@Suite struct IncomingHelloTests {
    /// A ClientHello of `length` bytes, in records of `recordLength`.
    private static func hello(_ length: Int, inRecordsOf recordLength: Int = 16 << 10) -> [UInt8] {
        let message =
            [1, UInt8(length >> 16), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)]
            + [UInt8](repeating: 7, count: length)
        return stride(from: 0, to: message.count, by: recordLength).flatMap { start in
            let part = message[start..<min(start + recordLength, message.count)]
            return [0x16, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 0xFF)] + part
        }
    }

    private static func state(_ bytes: [UInt8], at once: Int = .max) -> IncomingHello.State {
        var hello = IncomingHello()
        for start in stride(from: 0, to: bytes.count, by: min(once, bytes.count)) {
            hello.append(ByteBuffer(bytes: bytes[start..<min(start + min(once, bytes.count), bytes.count)]))
            #expect(hello.bytes.capacity <= IncomingHello.limit)
        }
        return hello.state
    }

    @Test(arguments: [(0, 100), (300, 16 << 10), (300, 1), (2000, 512), (10_000, 900)], [1, 3, 512, .max])
    func `a hello is whole with its last byte and not before, however it is cut`(
        hello: (length: Int, records: Int),
        at once: Int
    ) {
        let bytes = Self.hello(hello.length, inRecordsOf: hello.records)
        #expect(Self.state(bytes, at: once) == .whole)
        #expect(Self.state(bytes.dropLast(), at: once) == .incomplete)
    }

    @Test func `empty records in it are OpenSSL's to judge`() {
        let bytes = [0x16, 3, 1, 0, 0] + Self.hello(300)
        #expect(Self.state(bytes) == .whole)
    }

    @Test func `a hello that announces more than may be kept is refused with its fourth byte`() {
        let bytes = Self.hello(120_000)
        #expect(Self.state(Array(bytes.prefix(8))) == .incomplete)
        #expect(Self.state(Array(bytes.prefix(9))) == .tooLarge)
    }

    @Test(arguments: [1, 100, 512])
    func `records without end are too large too`(at once: Int) {
        let empty = (0..<4000).flatMap { _ in [0x16, 3, 1, 0, 0] as [UInt8] }
        #expect(Self.state(empty, at: once) == .tooLarge)
    }

    @Test(
        arguments: [
            [0x15, 3, 1, 0, 2, 1, 90], [0x80, 0x2E, 1, 3, 1, 0], [0x16, 2, 0, 0, 0, 0], [0x16, 3, 1, 0xFF, 0xFF],
            [0x16, 3, 1, 0, 4, 2], [0x16, 3, 1, 0, 1, 1, 0x15], [0x16, 3, 1, 0, 1, 1, 0x16, 3, 1, 0, 0, 0x17],
        ] as [[UInt8]]
    )
    func `what no hello looks like is left to OpenSSL at once`(bytes: [UInt8]) {
        #expect(Self.state(bytes) == .unexpected)
        #expect(Self.state(bytes, at: 1) == .unexpected)
    }

    // Whatever it is, its first byte tells nobody.
    @Test(arguments: ["GET /", "\u{0}\u{1}\u{0}\u{0}\u{0}"])
    func `what is no TLS is kept until it can be named`(text: String) {
        #expect(Self.state(Array(text.utf8)) == .incomplete)
        #expect(Self.state(Array((text + "\u{6}").utf8), at: 1) == .unexpected)
    }
}
