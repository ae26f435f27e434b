import MultiplexerCore
import Testing

/// What holds for the frames of every protocol, those of each protocol's own tests.
@Suite struct EveryProtocolTests {
    /// Frames that may follow each other on one stream.
    struct Stream: CustomTestStringConvertible {
        let name: String
        var direction = Direction.request
        /// The message of the request that the frames answer.
        var request: [UInt8]?
        let frames: [[UInt8]]

        var testDescription: String { "\(name), \(direction)" }
    }

    static let streams: [Stream] =
        both("modbus", ModbusTCPFramingTests.frames)
        + both("modbus-rtu", ModbusTCPWithCRCFramingTests.frames)
        + [Stream(name: "modbus-serial", frames: exchanges.map { withModbusCRC($0.request) })]
        + exchanges.filter { !$0.isResponseOpen }.map { exchange in
            let exception = [exchange.request[0], exchange.request[1] | 0x80, 0x02]
            return Stream(
                name: "modbus-serial",
                direction: .response,
                request: exchange.request,
                frames: [exchange.response, exception, exchange.response].map(withModbusCRC)
            )
        }
        + both("http", [[0, 0, 0, 2, 3, 0], [0, 0, 0, 0], [0, 0, 0, 3, 2, 1, 0]])
        + both("iso8583", [[0, 4] + Array("0200".utf8), [0, 0], [0, 9, 0x60, 0, 1, 0, 2, 0x08, 0x10, 0xFF, 0xFF]])
        + both("mpu", ["00040800", "0000", "00140210 et cetera"].map { Array($0.utf8) })
        + both("length-prefixed", [[0, 1, 0], [0, 0], [1, 2] + [UInt8](repeating: 0x30, count: 258)])
        + both("delimited", ["one\r\n", "\r\n", "\n\r\r\n"].map { Array($0.utf8) })
        + both("echo", ["one\n", "\n", "\r\n"].map { Array($0.utf8) })

    private static let exchanges = ModbusExchange.all.filter { !$0.isRequestOpen }

    private static func both(_ name: String, _ frames: [[UInt8]]) -> [Stream] {
        [Direction.request, .response].map { Stream(name: name, direction: $0, frames: frames) }
    }

    @Test func `every protocol has frames in both directions here`() {
        for direction in [Direction.request, .response] {
            let names = Self.streams.filter { $0.direction == direction }.map(\.name)
            #expect(Set(names) == Set(ApplicationProtocol.all.map(\.name)))
        }
    }

    @Test(arguments: streams)
    func `frames are the same wherever their stream is split`(_ stream: Stream) throws {
        let bytes = stream.frames.flatMap(\.self)
        for index in 0...bytes.count {
            var feeding = try stream.feeding()
            #expect(try feeding.feed(bytes[..<index]) + feeding.feed(bytes[index...]) == stream.frames)
        }
    }

    @Test(arguments: streams)
    func `a frame that comes byte by byte is whole at its last one`(_ stream: Stream) throws {
        var feeding = try stream.feeding()
        for frame in stream.frames {
            for byte in frame.dropLast() { #expect(try feeding.feed([byte]).isEmpty) }
            #expect(try feeding.feed(frame.suffix(1)) == [frame])
        }
    }

    @Test(arguments: streams)
    func `once a frame's length is known, what follows does not change it`(_ stream: Stream) throws {
        for frame in stream.frames {
            for count in 0...frame.count {
                let length = try stream.feeding().measure(Array(frame.prefix(count)))
                #expect(length == frame.count || length == nil && count < frame.count)
            }
            for more in [[0x00], [0xFF], [0x0D, 0x0A], frame] as [[UInt8]] {
                #expect(try stream.feeding().measure(frame + more) == frame.count)
            }
        }
    }

    @Test(arguments: streams)
    func `a message taken out of its frame and sealed again is the same frame`(_ stream: Stream) throws {
        let framing = try stream.applicationProtocol().framing
        for frame in stream.frames {
            #expect(FrameFeeding(framing).resealed(frame) == frame)
            let (message, id) = (Array(frame[framing.envelope(of: frame).message]), UInt16(0xBEEF))
            let sealed = framing.sealed(message, transactionID: id)
            #expect(Array(sealed[framing.envelope(of: sealed).message]) == message)
            #expect(framing.envelope(of: sealed).transactionID == (framing.carriesTransactionIDs ? id : 0))
        }
    }
}

extension EveryProtocolTests.Stream {
    fileprivate func applicationProtocol() throws -> ApplicationProtocol {
        try #require(ApplicationProtocol.named(name))
    }

    fileprivate func feeding() throws -> FrameFeeding {
        let spoken = try applicationProtocol()
        return FrameFeeding(spoken.framing, direction, respondingTo: request.map { spoken.messageRules.request($0) })
    }
}
