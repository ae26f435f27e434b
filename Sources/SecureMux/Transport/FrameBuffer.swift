import MultiplexerCore
import NIOCore

/// The bytes that a stream brought and that are not yet cut into frames.
struct FrameBuffer {
    private var bytes = ByteBuffer()

    /// Whether a frame has begun.
    var isEmpty: Bool { bytes.readableBytes == 0 }

    /// Whether these bytes are the header of a TLS record that carries a handshake (RFC 8446, section 5.1).
    ///
    /// No Modbus/TCP header is: behind a transaction id stands the protocol id 0.
    var beginsWithClientHello: Bool {
        guard let header = bytes.getBytes(at: bytes.readerIndex, length: 3) else { return false }
        return header[0] == 0x16 && header[1] == 0x03 && (0x01...0x04).contains(header[2])
    }

    /// Takes what a read brought.
    mutating func append(_ received: ByteBuffer) {
        guard !isEmpty else {
            // The usual case: a read brought whole frames, which are cut from it without a copy.
            bytes = received
            return
        }
        var received = received
        bytes.writeBuffer(&received)
    }

    /// Cuts the next whole frame off, or returns nil when it is not there yet.
    mutating func nextFrame(
        _ framing: any Framing,
        _ direction: Direction,
        answering request: Request? = nil
    ) throws(FramingError) -> ByteBuffer? {
        guard !isEmpty,
            let length = try framing.frameLength(in: bytes.readableBytesUInt8Span, direction, answering: request),
            let frame = bytes.readSlice(length: length)
        else { return nil }
        // Lets the memory go, which the receiving channel can then use again.
        if isEmpty { bytes = ByteBuffer() }
        return frame
    }

    /// Drops everything.
    mutating func clear() {
        bytes = ByteBuffer()
    }
}
