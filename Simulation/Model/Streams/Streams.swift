import MultiplexerCore

/// Bytes as they come on both sides, in reads of any size, all drawn from a seed: the core's readers have to find in them what
/// was sent.
struct Streams {
    private var client: ClientStream
    private var device: DeviceStream

    init(seed: UInt64) {
        var random = SplitMix64(seed: seed ^ 0x5EED_0F57)
        client = ClientStream(SplitMix64(seed: random.next()))
        device = DeviceStream(SplitMix64(seed: random.next()))
    }

    mutating func run() throws(Violation) {
        try client.run()
        try device.run()
    }
}
