import MultiplexerCore
import NIOCore

/// The bytes that a stream brought and that are not yet cut into frames.
struct FrameBuffer {
    private var bytes = ByteBuffer()

    /// Whether a frame has begun.
    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Whether the stream begins with a TLS record that carries a handshake (RFC 8446, section 5.1); nil while that is open.
    ///
    /// No Modbus/TCP header does: behind a transaction id stands the protocol id 0.
    var beginsWithClientHello: Bool? {
        let header = bytes.readableBytesView.prefix(3)
        let isLike = zip(header, [0x16...0x16, 0x03...0x03, 0x01...0x04] as [ClosedRange<UInt8>]).allSatisfy {
            $1.contains($0)
        }
        return !isLike ? false : header.count == 3 ? true : nil
    }

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

    /// Measures the next frame, or returns nil when it is not whole yet.
    func frameLength(
        _ framing: any Framing,
        _ direction: Direction,
        answering request: Request? = nil
    ) throws(FramingError) -> Int? {
        guard !isEmpty,
            let length = try framing.frameLength(in: bytes.readableBytesUInt8Span, direction, answering: request),
            length <= bytes.readableBytes
        else { return nil }
        return length
    }

    /// Cuts the next frame off, or returns nil when it is not whole yet.
    mutating func nextFrame(
        _ framing: any Framing,
        _ direction: Direction,
        answering request: Request? = nil
    ) throws(FramingError) -> ByteBuffer? {
        guard let length = try frameLength(framing, direction, answering: request) else { return nil }
        return cut(length)
    }

    /// Cuts off so many bytes, or returns nil when there are fewer.
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
