import NIOCore

/// Has a channel read into little memory until more comes at once.
///
/// A channel keeps what it reads into. Most clients of a device ask for one thing at a time, in a few bytes.
struct GrowingReads: RecvByteBufferAllocator {
    private var isLarge = false

    private static let small = 64
    private static let large = 512

    func nextBufferSize() -> Int? { isLarge ? Self.large : Self.small }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        allocator.buffer(capacity: isLarge ? Self.large : Self.small)
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard !isLarge, actualReadBytes >= Self.small else { return false }
        isLarge = true
        return true
    }
}
