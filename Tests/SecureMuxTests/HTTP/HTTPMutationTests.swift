import MultiplexerCore
import NIOCore
import NIOHTTP1
import Testing

@testable import SecureMux

/// Messages with random damage: nothing crashes, and what passes means the same to whoever reads it next.
@Suite struct HTTPMutationTests {
    @Test(arguments: 0..<8)
    func `a damaged request is refused or passed on beyond doubt`(_ seed: UInt64) throws {
        var random = Mutations(seed: seed)
        let seeds =
            HTTPExchangeTests.passages.map { Array($0.sent.utf8) }
            + RefusedRequest.all.prefix(100).map { Array($0.bytes.utf8) }
        for _ in 0..<100 {
            let client = try ClientPipeline()
            client.send(random.cut(random.damage(seeds[Int(random.next() % UInt64(seeds.count))])))
            for request in try client.requests() {
                let device = try DevicePipeline()
                device.request(request)
                let passedOn = device.outputBytes()
                let reader = try ClientPipeline(limits: HTTPLimits(fields: 200))
                reader.send([passedOn])
                let read = try reader.requests()
                #expect(read.count == 1 && reader.output() == "", "\(String(decoding: passedOn, as: UTF8.self))")
                #expect(read.first?.method == request.method && read.first?.target == request.target)
                #expect(read.first?.body ?? ByteBuffer() == request.body ?? ByteBuffer())
                #expect(read.first?.trailers == request.trailers)
            }
        }
    }

    @Test(arguments: 0..<8)
    func `a damaged response is dropped or passed on beyond doubt`(_ seed: UInt64) throws {
        var random = Mutations(seed: seed)
        let seeds =
            HTTPDeviceCodecTests.exchanges.map { ($0.method, Array($0.response.utf8)) }
            + HTTPDeviceCodecTests.ambiguous.map { (.GET, Array($0.response.prefix(1000).utf8)) }
        for _ in 0..<100 {
            let (method, bytes) = seeds[Int(random.next() % UInt64(seeds.count))]
            let device = try DevicePipeline()
            device.ask(method)
            device.send(random.cut(random.damage(bytes)))
            device.endInput()
            let frames = device.frames()
            #expect(frames.count <= 1)
            for frame in frames {
                let response = try #require(HTTPResponseRecord(frame))
                let client = try ClientPipeline()
                client.send("\(method.rawValue) / HTTP/1.1\r\nHost: a\r\n\r\n")
                client.respond(frame)
                // We may have added a field.
                let reader = try DevicePipeline(limits: HTTPLimits(fields: 200))
                reader.ask(method)
                let passedOn = client.outputBytes()
                reader.send([passedOn])
                let read = try reader.responses()
                #expect(
                    read.count == 1 && reader.complaints == [],
                    "\(reader.complaints) \(String(decoding: passedOn, as: UTF8.self))"
                )
                #expect(read.first?.status == response.status && read.first?.body == response.body)
            }
        }
    }
}

/// Random damage that is the same for the same seed.
private struct Mutations: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0xD134_2543_DE82_EF95 &+ 1 }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private static let pieces = [
        "\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "0", "5", "\0", "\r\n\r\n", "Content-Length: 5\r\n", "chunked",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\u{7F}", "ü",
    ].map { Array($0.utf8) }

    mutating func damage(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<3, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            let piece = Self.pieces.randomElement(using: &self) ?? []
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes.insert(contentsOf: piece, at: place)
            case 1: bytes.removeSubrange(place..<min(place + piece.count, bytes.count))
            case 2: bytes.replaceSubrange(place..<min(place + piece.count, bytes.count), with: piece)
            default: if place < bytes.count { bytes[place] = .random(in: .min ... .max, using: &self) }
            }
        }
        return bytes
    }

    mutating func cut(_ bytes: [UInt8]) -> [[UInt8]] {
        guard !bytes.isEmpty else { return [] }
        let place = Int.random(in: 0..<bytes.count, using: &self)
        return [Array(bytes[..<place]), Array(bytes[place...])]
    }
}
