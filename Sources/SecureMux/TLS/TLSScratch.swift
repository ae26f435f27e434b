import NIOCore

/// Buffers that all TLS handlers of one event loop may share, so that an idle connection keeps none.
package final class TLSScratch {
    var records = ByteBuffer()
    var plaintext = ByteBuffer()

    package init() {}
}

@available(*, unavailable)
extension TLSScratch: Sendable {}

extension ByteBuffer {
    /// Empties the buffer for its next use, and lets go of its memory when someone else still has it or it is large.
    mutating func reuse() {
        guard writerIndex > 0 else { return }
        if writerIndex > 32 << 10 { self = ByteBuffer() }
        clear(minimumCapacity: 512)
    }
}
