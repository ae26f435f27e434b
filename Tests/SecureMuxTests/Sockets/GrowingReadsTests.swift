import NIOCore
import Testing

@testable import SecureMux

@Suite struct GrowingReadsTests {
    @Test(arguments: [[], [12], [63, 1], [12, 12, 12]])
    func `reads are small as long as none is filled`(counts: [Int]) {
        #expect(size(after: counts) == 64)
    }

    @Test(arguments: [[64], [12, 64], [64, 1], [64, 512, 1]])
    func `once a read was filled they are large, and stay so`(counts: [Int]) {
        #expect(size(after: counts) == 512)
    }

    /// How large the next read is after reads of `counts` bytes; nil if what is allocated has another size than announced.
    private func size(after counts: [Int]) -> Int? {
        var reads = GrowingReads()
        for count in counts { _ = reads.record(actualReadBytes: count) }
        let size = reads.buffer(allocator: ByteBufferAllocator()).capacity
        return size == reads.nextBufferSize() ? size : nil
    }
}
