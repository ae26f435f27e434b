import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

@Suite struct FrameBufferTests {
    @Test func `frames are cut off wherever the reads end`() throws {
        let stream: [UInt8] = (0..<20).flatMap { [0, $0, 0, 0, 0, 3, 1, 3, $0] as [UInt8] }
        for size in 1...stream.count {
            var buffer = FrameBuffer()
            var frames: [[UInt8]] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                buffer.append(ByteBuffer(bytes: stream[start..<min(start + size, stream.count)]))
                while let length = try buffer.requestLength(on: ApplicationProtocol.modbus.wire) {
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
        buffer.append(ByteBuffer(bytes: [0, 1, 0, 0, 0]))
        for _ in 0..<10_000 {
            buffer.append(ByteBuffer(bytes: [3, 1, 3, 0, 0, 1, 0, 0, 0]))
            let length = try #require(try buffer.requestLength(on: ApplicationProtocol.modbus.wire))
            #expect(buffer.cut(length)?.readableBytes == 9)
        }
        #expect(buffer.capacity < 4096)
    }

    @Test(
        arguments: [
            ([22], nil), ([22, 3], nil), ([22, 3, 1], nil), ([22, 3, 3, 2, 0, 1, 0, 1], nil),
            ([22, 3, 1, 2, 0, 1, 0, 1, 0xFC], true), ([22, 3, 3, 2, 0, 1, 0, 1, 0xFC, 3, 3], true),
            // The message goes on in another record.
            ([22, 3, 1, 2, 0, 1, 0, 9, 0], true),
            ([22, 3, 1, 2, 0, 1, 0, 1, 0xFB], false), ([22, 3, 1, 2, 0, 2], false), ([22, 3, 1, 2, 0, 1, 1], false),
            ([22, 3, 0, 0], false), ([0], false), ([22, 4], false),
        ] as [([UInt8], Bool?)]
    )
    func `a ClientHello is known by its lengths`(_ bytes: [UInt8], _ expected: Bool?) {
        var buffer = FrameBuffer()
        buffer.append(ByteBuffer(bytes: bytes))
        #expect(buffer.beginsWithClientHello == expected)
    }
}
