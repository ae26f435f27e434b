import MultiplexerCore
import Testing

@Suite struct HTTPRecordFramingTests {
    static let frames: [[UInt8]] = [
        [0, 0, 0, 2, 3, 1], [0, 0, 0, 0], [0, 0, 1, 0] + [UInt8](repeating: 7, count: 256),
    ]
    let framing = HTTPRecordFraming()

    @Test(arguments: frames)
    func `a record is as long as it says`(_ frame: [UInt8]) throws {
        #expect(try FrameFeeding(framing).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing, .response).measure(Array(frame.prefix(4))) == frame.count)
        #expect(try FrameFeeding(framing).measure(Array(frame.prefix(3))) == nil)
        #expect(FrameFeeding(framing).resealed(frame) == frame)
    }

    @Test func `records that come together are told apart wherever they are split`() throws {
        let stream = Self.frames.flatMap(\.self)
        for index in 0...stream.count {
            var feeding = FrameFeeding(framing)
            var frames = try feeding.feed(stream[..<index])
            frames += try feeding.feed(stream[index...])
            #expect(frames == Self.frames)
        }
    }

    @Test func `a record carries no id`() {
        #expect(!framing.carriesTransactionIDs)
        #expect(framing.envelope(of: Self.frames[0]) == Envelope(transactionID: 0, message: 4..<6))
    }

    @Test func `http is a protocol of that name`() {
        #expect(ApplicationProtocol.named("http")?.framing is HTTPRecordFraming)
        #expect(ApplicationProtocol.named("http1")?.messages == .http(HTTPLimits()))
    }
}
