import NIOCore

/// A buffer that is used for one frame after the other: once the socket took them, its memory is ours alone again.
final class ReusedBuffer {
    private var bytes = ByteBuffer()

    /// After a larger frame the memory is given back.
    private static let keptCapacity = 4096

    /// The buffer, with this frame in it.
    func filled(with frame: [UInt8]) -> ByteBuffer {
        if bytes.storageCapacity > Self.keptCapacity { bytes = ByteBuffer() }
        bytes.clear(minimumCapacity: frame.count)
        bytes.writeBytes(frame)
        return bytes
    }
}

@available(*, unavailable)
extension ReusedBuffer: Sendable {}
