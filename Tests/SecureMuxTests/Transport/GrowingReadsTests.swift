import NIOCore
import Testing

@testable import SecureMux

@Suite struct GrowingReadsTests {
    @Test func `reads are small as long as none is filled`() {
        var reads = GrowingReads()
        #expect(!reads.record(actualReadBytes: 12))
        #expect(!reads.record(actualReadBytes: 63))
        #expect(reads.nextBufferSize() == 64)
        #expect(reads.buffer(allocator: ByteBufferAllocator()).capacity == 64)
    }

    @Test func `once a read was filled they are large, and stay so`() {
        var reads = GrowingReads()
        let grows = reads.record(actualReadBytes: 64)
        #expect(grows)
        #expect(reads.nextBufferSize() == 512)
        #expect(reads.buffer(allocator: ByteBufferAllocator()).capacity == 512)
        #expect(!reads.record(actualReadBytes: 1))
        #expect(!reads.record(actualReadBytes: 512))
        #expect(reads.nextBufferSize() == 512)
    }
}
