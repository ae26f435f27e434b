import MultiplexerCore
import Testing

/// What holds for the well-formed frames of every framing whose frames are messages as they stand.
func expectWholeFrames(_ frames: [[UInt8]], _ framing: any Framing) throws {
    for direction in [Direction.request, .response] {
        for frame in frames {
            // Whole, and with something behind it.
            #expect(try FrameFeeding(framing, direction).measure(frame) == frame.count)
            #expect(try FrameFeeding(framing, direction).measure(frame + [0x30, 0x0A, 0x0D]) == frame.count)
            // Split in two anywhere.
            for index in frame.indices {
                var feeding = FrameFeeding(framing, direction)
                #expect(try feeding.feed(frame[..<index]).isEmpty)
                #expect(try feeding.feed(frame[index...]) == [frame])
            }
            // Byte by byte.
            var feeding = FrameFeeding(framing, direction)
            for byte in frame.dropLast() { #expect(try feeding.feed([byte]).isEmpty) }
            #expect(try feeding.feed(frame.suffix(1)) == [frame])
            // In its envelope again.
            #expect(feeding.resealed(frame) == frame)
            #expect(framing.envelope(of: frame) == Envelope(transactionID: 0, message: 0..<frame.count))
        }
        // Trap T1: what follows a frame belongs to the next one, wherever the stream is split.
        let stream = frames.flatMap(\.self)
        for index in 0...stream.count {
            var feeding = FrameFeeding(framing, direction)
            var found = try feeding.feed(stream[..<index])
            found += try feeding.feed(stream[index...])
            #expect(found == frames)
        }
    }
    #expect(try FrameFeeding(framing).measure([]) == nil)
    #expect(!framing.carriesTransactionIDs)
}
