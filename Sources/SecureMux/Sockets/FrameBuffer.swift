import MultiplexerCore
import NIOCore

/// The bytes that a stream brought and that are not yet cut into frames.
struct FrameBuffer {
    private var bytes = ByteBuffer()

    /// Whether a frame has begun.
    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Whether the stream begins with a ClientHello in a TLS record (RFC 8446, sections 4 and 5.1); nil while that is open.
    ///
    /// ```
    ///  0      1       3        5      6          9
    /// +------+-------+--------+------+----------+
    /// | 22   | 3  1…4| length | 1    | length…  |    the second length is the first one less 4, or more in fragments
    /// +------+-------+--------+------+----------+
    /// ```
    ///
    /// So much of it, since three bytes alone may begin a request: of unit 22 on a serial wire, for example.
    var beginsWithClientHello: Bool? {
        let header = Array(bytes.readableBytesView.prefix(9))
        let expected: [ClosedRange<UInt8>] = [22...22, 3...3, 1...4, 0...255, 0...255, 1...1, 0...0]
        guard zip(header, expected).allSatisfy({ $1.contains($0) }) else { return false }
        guard header.count == 9 else { return nil }
        let record = Int(header[3]) << 8 | Int(header[4])
        let message = Int(header[7]) << 8 | Int(header[8])
        return message + 4 >= record
    }

    /// How many bytes there are.
    var readableBytes: Int { bytes.readableBytes }

    /// How much memory it holds.
    var capacity: Int { bytes.storageCapacity }

    /// Takes what a read brought.
    mutating func append(_ received: ByteBuffer) {
        guard !isEmpty else {
            // The usual case: a read brought whole frames, which are cut from it without a copy.
            bytes = received
            return
        }
        // A stream that never pauses at the end of a frame would otherwise be kept from its beginning.
        bytes.discardReadBytes()
        var received = received
        bytes.writeBuffer(&received)
    }

    /// Measures the next request, or returns nil when it is not whole yet.
    func requestLength(on wire: Wire) throws(FramingError) -> Int? {
        guard !isEmpty,
            let length = try wire.requestLength(in: bytes.readableBytesUInt8Span),
            length <= bytes.readableBytes
        else { return nil }
        return length
    }

    /// Has `reader` tell what the bytes begin with, or returns nil when more are needed.
    func reading(
        by reader: inout ResponseReader,
        answering request: Request?,
        isSilent: Bool
    ) -> ResponseReader.Reading? {
        reader.next(in: bytes.readableBytesUInt8Span, answering: request, isSilent: isSilent)
    }

    /// Cuts off so many bytes, or returns nil when there are fewer.
    @discardableResult
    mutating func cut(_ length: Int) -> ByteBuffer? {
        guard let frame = bytes.readSlice(length: length) else { return nil }
        // Lets the memory go, which the receiving channel can then use again.
        if isEmpty { bytes = ByteBuffer() }
        return frame
    }

    /// Drops everything.
    mutating func clear() {
        bytes = ByteBuffer()
    }
}
