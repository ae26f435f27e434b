import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

@Suite struct FrameBufferTests {
    @Test func `frames are cut off wherever the reads end`() throws {
        let stream: [UInt8] = (0..<20).flatMap { [0, $0, 0, 0, 0, 3, 1, 3, $0] as [UInt8] }
        for size in 1...stream.count {
            var buffer = FrameBuffer()
            var reader = RequestReader(ApplicationProtocol.modbus.wire, isOverTLS: false)
            var frames: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                buffer.append(ByteBuffer(bytes: stream[start..<min(start + size, stream.count)]))
                while case .request(let length) = buffer.reading(by: &reader, unanswered: 0) {
                    let frame = buffer.cut(length)
                    frames.append(try #require(frame).readableBytesView.map(\.self))
                }
            }
            #expect(frames.map(\.last) == (0..<20).map { UInt8($0) })
            #expect(frames.allSatisfy { $0.count == 9 })
            #expect(buffer.isEmpty)
        }
    }

    @Test func `a stream that never pauses at the end of a frame is not kept`() throws {
        var buffer = FrameBuffer()
        var reader = RequestReader(ApplicationProtocol.modbus.wire, isOverTLS: false)
        buffer.append(ByteBuffer(bytes: [0, 1, 0, 0, 0]))
        for _ in 0..<10_000 {
            buffer.append(ByteBuffer(bytes: [3, 1, 3, 0, 0, 1, 0, 0, 0]))
            #expect(buffer.reading(by: &reader, unanswered: 0) == .request(9))
            #expect(buffer.cut(9)?.readableBytes == 9)
        }
        #expect(buffer.capacity < 4096)
    }
}
