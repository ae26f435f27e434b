import MultiplexerCore
import Testing

@Suite struct ModbusRTUFramingTests {
    /// A frame, and with what it is measured.
    struct Case: CustomTestStringConvertible {
        let name: String
        let frame: [UInt8]
        let direction: Direction
        /// The request that a response is awaited for.
        let pending: Request?
        /// Whether only the end of what has arrived shows where the frame ends.
        let isOpen: Bool

        var feeding: FrameFeeding { FrameFeeding(ModbusRTUFraming(), direction, respondingTo: pending) }
        var testDescription: String { name }
    }

    static let rules = ModbusMessageRules()
    static let requests = ModbusExchange.all.map {
        Case(
            name: "request \($0.name)",
            frame: withModbusCRC($0.request),
            direction: .request,
            pending: nil,
            isOpen: $0.isRequestOpen
        )
    }
    static let responses = ModbusExchange.all.map {
        Case(
            name: "response \($0.name)",
            frame: withModbusCRC($0.response),
            direction: .response,
            pending: rules.request($0.request),
            isOpen: $0.isResponseOpen
        )
    }
    static let exceptions = ModbusExchange.all.map {
        Case(
            name: "exception \($0.name)",
            frame: withModbusCRC([$0.request[0], $0.request[1] | 0x80, 0x02]),
            direction: .response,
            pending: rules.request($0.request),
            isOpen: false
        )
    }
    /// Where nothing is awaited, the response alone has to tell its length.
    static let unsolicited = ModbusExchange.all.map {
        Case(
            name: "unsolicited response \($0.name)",
            frame: withModbusCRC($0.response),
            direction: .response,
            pending: nil,
            isOpen: $0.isResponseOpen || $0.isRequestOpen
        )
    }
    static let all = requests + responses + exceptions + unsolicited
    static let measurable = all.filter { !$0.isOpen }
    static let open = all.filter(\.isOpen)

    let framing = ModbusRTUFraming()

    @Test func `the tables hold every standard function in both directions`() {
        let standard: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43]
        for cases in [Self.requests, Self.responses, Self.unsolicited] {
            #expect(Set(standard).isSubset(of: cases.map { $0.frame[1] }))
        }
        #expect(Set(standard.map { $0 | 0x80 }).isSubset(of: Self.exceptions.map { $0.frame[1] }))
    }

    @Test func `known frames are taken`() throws {
        let request: [UInt8] = [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD]
        #expect(try FrameFeeding(framing).measure(request) == 8)
        let exception: [UInt8] = [0x0A, 0x81, 0x02, 0xB0, 0x53]
        #expect(try FrameFeeding(framing, .response).measure(exception) == 5)
    }

    @Test(arguments: all)
    func `a frame is as long as it is`(_ item: Case) throws {
        #expect(try item.feeding.measure(item.frame) == item.frame.count)
    }

    @Test(arguments: measurable)
    func `a frame ends where its function says, whatever follows`(_ item: Case) throws {
        #expect(try item.feeding.measure(item.frame + [0xFF]) == item.frame.count)
        #expect(try item.feeding.measure(item.frame + item.frame) == item.frame.count)
        #expect(try item.feeding.measure(item.frame + [UInt8](repeating: 0, count: 300)) == item.frame.count)
    }

    @Test(arguments: all)
    func `a frame split anywhere is the same frame`(_ item: Case) throws {
        for index in item.frame.indices {
            var feeding = item.feeding
            #expect(try feeding.feed(item.frame[..<index]).isEmpty)
            #expect(try feeding.feed(item.frame[index...]) == [item.frame])
        }
    }

    @Test(arguments: all)
    func `a frame that comes byte by byte is whole at its last one`(_ item: Case) throws {
        var feeding = item.feeding
        for byte in item.frame.dropLast() { #expect(try feeding.feed([byte]).isEmpty) }
        #expect(try feeding.feed(item.frame.suffix(1)) == [item.frame])
    }

    // Trap T1: what follows a frame belongs to the next one.
    @Test func `requests that come together are told apart wherever they are split`() throws {
        let expected = Self.requests.filter { !$0.isOpen }.map(\.frame)
        let stream = expected.flatMap(\.self)
        for index in 0...stream.count {
            var feeding = FrameFeeding(framing)
            var frames = try feeding.feed(stream[..<index])
            frames += try feeding.feed(stream[index...])
            #expect(frames == expected)
        }
    }

    // Trap T3: an exception has 5 bytes and leaves none of them to the next response.
    @Test(arguments: zip(exceptions, responses))
    func `an exception leaves the next response as it is`(_ exception: Case, _ response: Case) throws {
        var feeding = exception.feeding
        #expect(try feeding.feed(exception.frame.prefix(4)).isEmpty)
        #expect(try feeding.feed(exception.frame.suffix(1)) == [exception.frame])
        #expect(try feeding.feed(response.frame) == [response.frame])
    }

    @Test(arguments: all)
    func `a message put back into its envelope is the same frame`(_ item: Case) {
        #expect(item.feeding.resealed(item.frame) == item.frame)
    }

    @Test func `a frame carries no id and all but the checksum is its message`() {
        #expect(!framing.carriesTransactionIDs)
        #expect(framing.envelope(of: Self.requests[0].frame) == Envelope(transactionID: 0, message: 0..<6))
        #expect(framing.sealed([0x02, 0x07], transactionID: 0xABCD) == [0x02, 0x07, 0x41, 0x12])
    }

    // MARK: What is refused

    @Test(arguments: all)
    func `a frame with any byte changed is never taken`(_ item: Case) {
        for index in item.frame.indices {
            for change in [0x01, 0x80, 0xFF] as [UInt8] {
                var damaged = item.frame
                damaged[index] ^= change
                var feeding = item.feeding
                #expect((try? feeding.feed(damaged)) ?? [] == [])
            }
        }
    }

    @Test(arguments: measurable)
    func `a wrong checksum is damage and says which frame has it`(_ item: Case) throws {
        var damaged = item.frame
        damaged[damaged.count - 1] ^= 0x10
        let error = try #require(throws: FramingError.self) { try item.feeding.measure(damaged) }
        #expect(error.isDamage)
        let (found, right) = (ModbusCRC(endOf: damaged.span), ModbusCRC(endOf: item.frame.span))
        #expect(
            error.description == "a Modbus RTU frame of unit \(item.frame[0]), function \(item.frame[1]), "
                + "with checksum \(found) instead of \(right)"
        )
    }

    @Test(arguments: open)
    func `a wrong checksum where only the end tells is never the end, and refused at the limit`(_ item: Case) throws {
        var damaged = item.frame
        damaged[damaged.count - 1] ^= 0x10
        if damaged.count < 256 { #expect(try item.feeding.measure(damaged) == nil) }
        let rest = [UInt8](repeating: 0, count: 256 - damaged.count)
        let error = try #require(throws: FramingError.self) { try item.feeding.measure(damaged + rest) }
        #expect(!error.isDamage)
        #expect(error.description.hasSuffix("of 256 bytes that do not end with their checksum"))
    }

    @Test(
        arguments: [
            ([1, 15, 0, 0, 0, 10, 1], "a byte count of 1 for a quantity of 10"),
            ([1, 15, 0, 0, 0, 8, 2], "a byte count of 2 for a quantity of 8"),
            ([1, 15, 0, 0, 0xFF, 0xFF, 0], "a byte count of 0 for a quantity of 65535"),
            ([1, 16, 0, 0, 0, 2, 3], "a byte count of 3 for a quantity of 2"),
            ([1, 16, 0, 0, 0, 128, 0], "a byte count of 0 for a quantity of 128"),
            ([1, 23, 0, 0, 0, 1, 0, 0, 0, 1, 1], "a byte count of 1 for a quantity of 1"),
            ([1, 15, 0, 0, 0x07, 0xF8, 255], "of 264 bytes; 256 are allowed"),
            ([1, 16, 0, 0, 0, 124, 248], "of 257 bytes; 256 are allowed"),
            ([1, 23, 0, 0, 0, 1, 0, 0, 0, 122, 244], "of 257 bytes; 256 are allowed"),
            ([1, 20, 252], "of 257 bytes; 256 are allowed"),
            ([1, 21, 255], "of 260 bytes; 256 are allowed"),
        ] as [([UInt8], String)]
    )
    func `a request whose count cannot be right is refused on its header`(_ bytes: [UInt8], _ words: String) throws {
        #expect(try FrameFeeding(framing).measure(bytes.dropLast()) == nil)
        let error = try #require(throws: FramingError.self) { try FrameFeeding(framing).measure(bytes) }
        #expect(!error.isDamage)
        #expect(error.description.hasSuffix(words))
    }

    @Test(
        arguments: [
            ([1, 3, 252], "of 257 bytes; 256 are allowed"), ([1, 17, 255], "of 260 bytes; 256 are allowed"),
            ([1, 20, 252], "of 257 bytes; 256 are allowed"),
            ([1, 24, 0, 251], "of 257 bytes; 256 are allowed"),
            ([1, 24, 0xFF, 0xFF], "of 65541 bytes; 256 are allowed"),
            ([1, 43, 14, 1, 1, 0, 0, 1, 0, 245], "of 257 bytes; 256 are allowed"),
            ([1, 43, 14, 1, 1, 0, 0, 255, 0, 255], "of 267 bytes; 256 are allowed"),
        ] as [([UInt8], String)]
    )
    func `a response longer than a frame can be is refused on its header`(_ bytes: [UInt8], _ words: String) throws {
        let feeding = FrameFeeding(framing, .response)
        #expect(try feeding.measure(bytes.dropLast()) == nil)
        let error = try #require(throws: FramingError.self) { try feeding.measure(bytes) }
        #expect(!error.isDamage)
        #expect(error.description.hasSuffix(words))
    }

    @Test func `too few bytes to tell are neither a frame nor an error`() throws {
        for item in Self.all {
            for count in 0..<min(4, item.frame.count) {
                let length = try item.feeding.measure(Array(item.frame.prefix(count)))
                #expect(length == nil || length == item.frame.count)
            }
        }
    }

    @Test func `a broadcast is a request like any other`() throws {
        let broadcast = withModbusCRC([0, 6, 0, 1, 0, 3])
        #expect(try FrameFeeding(framing).measure(broadcast) == 8)
    }

    // MARK: Traps

    // Trap T2: the first 8 bytes of this write look like the response to it, checksum included.
    @Test func `a request is not cut where its beginning happens to have a right checksum`() throws {
        let candidates = (0...0xFFFF).lazy.flatMap { address in
            (1...123 as ClosedRange<UInt8>).lazy.map { [1, 16, UInt8(address >> 8), UInt8(address & 0xFF), 0, $0] }
        }
        let header = try #require(candidates.first { withModbusCRC($0)[6] == $0[5] * 2 })
        let data = [withModbusCRC(header)[7]] + [UInt8](repeating: 0, count: Int(header[5]) * 2 - 1)
        let request = withModbusCRC(header + [header[5] * 2] + data)
        #expect(try FrameFeeding(framing, .response).measure(request) == 8)
        #expect(try FrameFeeding(framing, .request).measure(request) == request.count)
    }

    // Trap T2, where no standard tells the length.
    @Test func `a vendor's frame is not cut where its beginning happens to have a right checksum`() throws {
        let beginning = withModbusCRC([1, 65, 0x10, 0x20])
        let frame = withModbusCRC(beginning + [0x30, 0x40])
        #expect(try FrameFeeding(framing).measure(beginning) == beginning.count)
        #expect(try FrameFeeding(framing).measure(frame) == frame.count)
        #expect(try FrameFeeding(framing, .response).measure(frame) == frame.count)
    }

    // What such a frame costs: nothing may follow it before its response.
    @Test func `nothing is guessed where a request follows a vendor's at once`() throws {
        let vendor = withModbusCRC([1, 65, 0x10, 0x20])
        let read = withModbusCRC([1, 3, 0, 0, 0, 1])
        #expect(try FrameFeeding(framing).measure(vendor + read) == nil)
        #expect(try FrameFeeding(framing).measure(read + vendor) == read.count)
    }

    // Trap T4: bytes 2 and 3 are 0, as the protocol id of Modbus/TCP.
    @Test func `a read of register 0 is not taken for Modbus TCP`() throws {
        let read: [UInt8] = [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD]
        #expect(try FrameFeeding(ModbusTCPFraming()).measure(read) == 16)
        #expect(try FrameFeeding(framing).measure(read) == 8)
    }

    // Trap T31: every function passes.
    @Test func `requests and exceptions of every function pass`() throws {
        for function in 1...127 as ClosedRange<UInt8> {
            guard !ModbusExchange.all.contains(where: { $0.request[1] == function }) else { continue }
            let request: [UInt8] = [7, function, 0xA0, 0xB1, 0xC2]
            let pending = Self.rules.request(request)
            #expect(try FrameFeeding(framing).measure(withModbusCRC(request)) == 7)
            let feeding = FrameFeeding(framing, .response, respondingTo: pending)
            #expect(try feeding.measure(withModbusCRC([7, function, 0x01])) == 5)
            #expect(try feeding.measure(withModbusCRC([7, function | 0x80, 0x01])) == 5)
        }
    }

    // Trap T5: whatever comes, lengths stay within what a frame can be and no index out of what is there.
    @Test func `no bytes make it trap or ask for more than a frame`() {
        var generator = SplitMix64(seed: 3)
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if bytes.count > 1 { bytes[1] = .random(in: 0...48, using: &generator) }
            for direction in [Direction.request, .response] {
                guard let length = (try? FrameFeeding(framing, direction).measure(bytes)) ?? nil else { continue }
                #expect((4...256).contains(length))
            }
        }
    }
}
