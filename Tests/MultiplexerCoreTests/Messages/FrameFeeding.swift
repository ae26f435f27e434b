import MultiplexerCore

/// Cuts a stream into frames the way a decoder does: measure what is there, cut off a whole frame, keep the rest.
struct FrameFeeding {
    let framing: any Framing
    var direction = Direction.request
    /// The request that a response is awaited for.
    var request: Request?
    private var buffer: [UInt8] = []

    init(_ framing: any Framing, _ direction: Direction = .request, respondingTo request: Request? = nil) {
        self.framing = framing
        self.direction = direction
        self.request = request
    }

    /// Takes a piece of the stream and gives the frames that are whole now.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws -> [[UInt8]] {
        buffer += bytes
        var frames: [[UInt8]] = []
        while let length = try measure(buffer), length <= buffer.count {
            frames.append(Array(buffer.prefix(length)))
            buffer.removeFirst(length)
        }
        return frames
    }

    /// The length that the framing sees in these bytes alone.
    func measure(_ bytes: [UInt8]) throws -> Int? {
        try framing.frameLength(in: bytes.span, direction, respondingTo: request)
    }

    /// The frame taken out of its envelope and put into it again.
    func resealed(_ frame: [UInt8]) -> [UInt8] {
        let envelope = framing.envelope(of: frame)
        return framing.sealed(Array(frame[envelope.message]), transactionID: envelope.transactionID)
    }

    /// What the framing says is wrong with these bytes, or nil.
    func complaint(about bytes: [UInt8]) -> String? {
        do {
            _ = try measure(bytes)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
