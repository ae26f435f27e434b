import MultiplexerCore
import NIOCore

/// The bytes that a stream brought and that are not yet cut into frames.
struct FrameBuffer {
    private var bytes = ByteBuffer()

    /// Whether a frame has begun.
    var isEmpty: Bool { bytes.readableBytes == 0 }

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

    /// Has `reader` tell what the bytes begin with, or returns nil when that is not whole or not to be taken yet.
    func reading(by reader: inout RequestReader, unanswered: Int) -> RequestReader.Reading? {
        reader.next(in: bytes.readableBytesUInt8Span, unanswered: unanswered)
    }

    /// Has `reader` tell what the bytes begin with, or returns nil when more are needed.
    func reading(
        by reader: inout ResponseReader,
        respondingTo request: Request?,
        isSilent: Bool
    ) -> ResponseReader.Reading? {
        reader.next(in: bytes.readableBytesUInt8Span, respondingTo: request, isSilent: isSilent)
    }

    /// Cuts off the first `length` bytes, or returns nil when there are fewer.
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
