import MultiplexerCore
import Testing

@Suite struct ModbusRequestFormTests {
    /// Requests of which the specification says how long they are.
    static let whole: [[UInt8]] =
        ModbusExchange.all.filter { !$0.isRequestOpen }.map(\.request) + [
            [1, 8, 0, 0, 0xA5, 0x37], [1, 8, 0, 1, 0xFF, 0], [1, 8, 0, 4, 0, 0], [1, 8, 0, 18, 0, 0],
            [1, 8, 0, 20, 0, 0], [0, 3, 0xFF, 0xFF, 0, 1], [255, 4, 0xFF, 0x83, 0, 125],
        ]

    /// Requests of functions that a vendor has, or whose data nobody but the device can read.
    static let unknown: [[UInt8]] = [
        [1, 8, 0, 0, 1, 2, 3, 4], [1, 8, 0, 0, 1, 2, 3], [1, 8, 0, 5, 0, 0], [1, 8, 0, 19, 0, 0],
        [1, 8, 0, 21, 0, 1, 0, 1], [1, 43, 13, 0x10], [1, 43, 0], [1, 43, 15, 1, 0], [1, 65], [1, 65, 0x24, 1, 0],
        [1, 100, 0],
        [1, 127] + [UInt8](repeating: 0, count: 252),
    ]

    static let functionsOfNobody = (1...0x7F as ClosedRange<UInt8>).filter { function in
        ![1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43].contains(function)
    }

    func form(_ message: [UInt8]) -> ModbusRequestForm { ModbusRequestForm(of: message.span) }

    @Test(arguments: whole)
    func `a request as its function has it is whole`(_ request: [UInt8]) {
        #expect(form(request) == .whole)
        #expect(ModbusMessageRules().refusal(of: request.span) == nil)
    }

    // A device that parses by function would read the rest as another request, or as the beginning of one.
    @Test(arguments: whole)
    func `a request with a byte too many or too few is refused`(_ request: [UInt8]) {
        for more in [[0], [0xFF], [1, 3, 0, 0, 0, 10], request] as [[UInt8]] where !isEcho(request) {
            #expect(form(request + more) == .refused(.length))
        }
        for count in 2..<request.count { #expect(form(Array(request.prefix(count))) != .whole) }
        if request.count > 2 {
            #expect(form(request.dropLast()) == .refused(.length))
        }
    }

    /// Return Query Data, which may be longer.
    private func isEcho(_ request: [UInt8]) -> Bool { request.starts(with: [1, 8, 0, 0]) }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 8, 15, 16, 20, 21, 22, 23, 24, 43] as [UInt8])
    func `a bare function code is refused where its function has data`(_ function: UInt8) {
        #expect(form([1, function]) == .refused(.length))
    }

    // MARK: Quantities

    /// Functions with a quantity, the most of it, and whether it is the one read or the one written.
    static let quantities: [(UInt8, Int)] = [
        (1, 2000), (2, 2000), (3, 125), (4, 125), (15, 1968), (16, 123), (23, 125), (23 | 0x80, 121),
    ]

    /// A request of a function for so much from an address on; of 23 with its highest bit what it writes.
    func request(_ function: UInt8, _ address: Int, _ quantity: Int) -> [UInt8] {
        func words(_ values: Int...) -> [UInt8] { values.flatMap { [UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF)] } }
        func values(_ bytes: Int) -> [UInt8] {
            [UInt8(truncatingIfNeeded: bytes)] + [UInt8](repeating: 0x55, count: bytes)
        }
        let range = words(address, quantity)
        return switch function {
        case 15: [1, 15] + range + values((quantity + 7) / 8)
        case 16: [1, 16] + range + values(quantity * 2)
        case 23: [1, 23] + range + words(0, 1) + values(2)
        case 23 | 0x80: [1, 23] + words(0, 1) + range + values(quantity * 2)
        default: [1, function] + range
        }
    }

    @Test(arguments: quantities)
    func `a quantity is 1 to what one message holds`(_ function: UInt8, _ most: Int) {
        for quantity in [1, 2, most - 1, most] { #expect(form(request(function, 0, quantity)) == .whole) }
        for quantity in [0, most + 1] { #expect(form(request(function, 0, quantity)) == .refused(.quantity)) }
    }

    @Test(arguments: [1, 2, 3, 4, 23] as [UInt8])
    func `no quantity is too large to be refused`(_ function: UInt8) {
        #expect(form(request(function, 0, 0xFFFF)) == .refused(.quantity))
        #expect(form(request(function, 0xFFFF, 0xFFFF)) == .refused(.quantity))
    }

    @Test(arguments: quantities)
    func `a range ends at the last address`(_ function: UInt8, _ most: Int) {
        for quantity in [1, most] {
            #expect(form(request(function, 0x1_0000 - quantity, quantity)) == .whole)
            guard quantity > 1 else { continue }
            #expect(form(request(function, 0x1_0001 - quantity, quantity)) == .refused(.range))
            #expect(form(request(function, 0xFFFF, quantity)) == .refused(.range))
        }
    }

    // MARK: Byte counts

    @Test(
        arguments: [
            [1, 15, 0, 0, 0, 8, 2, 0xFF, 0], [1, 15, 0, 0, 0, 9, 1, 0xFF], [1, 15, 0, 0, 0, 1, 0],
            [1, 16, 0, 0, 0, 1, 4, 0, 1, 0, 2], [1, 16, 0, 0, 0, 2, 2, 0, 1], [1, 16, 0, 0, 0, 1, 1, 0],
            // 128 registers are 256 bytes, of which the byte count says 0.
            [1, 16, 0, 0, 0, 128, 0], [1, 15, 0, 0, 8, 0, 0],
            [1, 23, 0, 0, 0, 1, 0, 0, 0, 1, 4, 0, 1, 0, 2], [1, 23, 0, 0, 0, 1, 0, 0, 0, 2, 2, 0, 1],
            [1, 20, 0], [1, 20, 6, 6, 0, 1, 0, 0, 0], [1, 20, 8, 6, 0, 1, 0, 0, 0, 1, 0],
            [1, 20, 252] + [UInt8](repeating: 6, count: 252),
            [1, 21, 0], [1, 21, 7, 6, 0, 1, 0, 0, 0, 0], [1, 21, 252] + [UInt8](repeating: 6, count: 252),
        ] as [[UInt8]]
    )
    func `a byte count that contradicts its quantity is refused`(_ request: [UInt8]) {
        #expect(form(request) == .refused(.byteCount))
    }

    // The byte count is right, and more follows.
    @Test(
        arguments: [
            [1, 16, 0, 0, 0, 1, 2, 0x12, 0x34, 0xAA, 0xBB], [1, 16, 0, 0, 0, 1, 2, 0x12], [1, 15, 0, 0, 0, 1, 1],
            [1, 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 1, 0], [1, 23, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0],
            [1, 20, 7, 6, 0, 1, 0, 0, 0, 1, 0], [1, 20, 14, 6, 0, 1, 0, 0, 0, 1], [1, 20, 7],
            [1, 21, 9, 6, 0, 1, 0, 0, 0, 1, 0, 0, 0], [1, 21, 9, 6, 0, 1, 0, 0, 0, 1, 0], [1, 21, 9],
        ] as [[UInt8]]
    )
    func `bytes beyond the byte count, or fewer, are refused`(_ request: [UInt8]) {
        #expect(form(request) == .refused(.length))
    }

    // MARK: File records

    /// Parts of a request for file records, each of a file, a record and `count` registers; with `values` to write them.
    func parts(_ function: UInt8, _ parts: [(file: Int, record: Int, count: Int)], type: UInt8 = 6) -> [UInt8] {
        var data: [UInt8] = []
        for part in parts {
            data.append(type)
            for value in [part.file, part.record, part.count] { data += [UInt8(value >> 8), UInt8(value & 0xFF)] }
            if function == 21 { data += [UInt8](repeating: 0x77, count: part.count * 2) }
        }
        return [1, function, UInt8(data.count)] + data
    }

    @Test(arguments: [20, 21] as [UInt8])
    func `a file record is of a file from 1 and within 10,000 records`(_ function: UInt8) {
        #expect(form(parts(function, [(1, 0, 1)])) == .whole)
        #expect(form(parts(function, [(0xFFFF, 9999, 1)])) == .whole)
        #expect(form(parts(function, [(1, 0, 1), (2, 9990, 10)])) == .whole)
        #expect(form(parts(function, [(0, 0, 1)])) == .refused(.range))
        #expect(form(parts(function, [(1, 10_000, 1)])) == .refused(.range))
        #expect(form(parts(function, [(1, 0, 1), (1, 9999, 2)])) == .refused(.range))
        #expect(form(parts(function, [(1, 0, 1), (1, 0, 0)])) == .refused(.quantity))
        #expect(form(parts(function, [(1, 0, 1)], type: 7)) == .refused(.reference))
        #expect(form(parts(function, [(1, 0, 1)], type: 0)) == .refused(.reference))
    }

    @Test func `file records are read as far as one answer holds`() {
        #expect(form(parts(20, [(1, 0, 121)])) == .whole)
        #expect(form(parts(20, [(1, 0, 122)])) == .refused(.quantity))
        #expect(form(parts(20, [(1, 0, 60), (2, 0, 60)])) == .whole)
        #expect(form(parts(20, [(1, 0, 60), (2, 0, 61)])) == .refused(.quantity))
        let most = [(file: Int, record: Int, count: Int)](repeating: (1, 0, 2), count: 35)
        #expect(form(parts(20, most)) == .whole)
        #expect(form(parts(20, most + [(1, 0, 2)])) == .refused(.byteCount))
    }

    @Test func `file records are written as far as the byte count goes`() {
        #expect(form(parts(21, [(1, 0, 122)])) == .whole)
        let announcesMore = Array(parts(21, [(1, 0, 3)]).dropLast(2))
        #expect(form([1, 21, announcesMore[2] - 2] + announcesMore.dropFirst(3)) == .refused(.length))
        // A part that ends within its head.
        #expect(form([1, 21, 12] + parts(21, [(1, 0, 1)]).dropFirst(3) + [6, 0, 1]) == .refused(.length))
    }

    // MARK: What is not in the specification

    // The answer to function 0x83 looks like an exception to 3.
    @Test(arguments: [0] + Array(0x80 ... .max) as [UInt8])
    func `function 0 and those with the exception bit are refused as illegal`(_ function: UInt8) {
        for data in [[], [0], [0, 0, 0, 1], [UInt8](repeating: 1, count: 252)] as [[UInt8]] {
            #expect(form([1, function] + data) == .refused(.illegalFunction))
        }
    }

    @Test(arguments: functionsOfNobody)
    func `functions of vendors are of unknown form whatever they hold`(_ function: UInt8) {
        for data in [[], [0], [0, 0, 0, 1], [UInt8](repeating: 1, count: 252)] as [[UInt8]] {
            #expect(form([1, function] + data) == .unknown)
        }
    }

    @Test(arguments: unknown)
    func `what is of unknown form goes alone and may write`(_ request: [UInt8]) {
        #expect(form(request) == .unknown)
        let asked = ModbusMessageRules().request(request.span)
        #expect(asked.goesAlone && asked.mayWrite && asked.read == nil)
    }

    @Test(arguments: whole)
    func `what is whole goes beside others`(_ request: [UInt8]) {
        #expect(!ModbusMessageRules().request(request.span).goesAlone)
    }

    @Test(arguments: 0...0xFF as ClosedRange<UInt8>)
    func `of function 43 only Read Device Identification has a length`(_ type: UInt8) {
        #expect(form([1, 43, type, 1, 0]) == (type == 14 ? .whole : .unknown))
        #expect(form([1, 43, type, 1]) == (type == 14 ? .refused(.length) : .unknown))
    }

    // MARK: The kind

    /// How many bytes a device takes for one request that tells it by its function and byte count, whatever the header says.
    static func lengthByFunction(_ stream: ArraySlice<UInt8>) -> Int? {
        func count(at index: Int) -> Int? {
            index < stream.count ? Int(stream[stream.startIndex + index]) : nil
        }
        switch count(at: 1) {
        case 1, 2, 3, 4, 5, 6, 8: return 6
        case 7, 11, 12, 17: return 2
        case 15, 16: return count(at: 6).map { 7 + $0 }
        case 20, 21: return count(at: 2).map { 3 + $0 }
        case 22: return 8
        case 23: return count(at: 10).map { 11 + $0 }
        case 24: return 4
        case 43: return 5
        default: return nil
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `a device that parses by function reads whole requests as we do`(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var passed = 0
        for _ in 0..<5000 {
            let request = Self.damaged(using: &generator)
            switch form(request) {
            case .whole:
                passed += 1
                #expect(Self.lengthByFunction(request[...]) == request.count, "\(request)")
            case .unknown:
                #expect(Self.functionsOfNobody.contains(request[1]) || [8, 43].contains(request[1]), "\(request)")
            case .refused: break
            }
        }
        #expect((500...4500).contains(passed))
    }

    /// A whole request, or what chance makes of it.
    private static func damaged(using generator: inout SplitMix64) -> [UInt8] {
        var request = whole.randomElement(using: &generator) ?? [1, 7]
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let index = request.indices.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0...4, using: &generator) {
            case 0: request[index] = .random(in: 0...255, using: &generator)
            case 1: request[index] &+= Bool.random(using: &generator) ? 1 : 255
            case 2: request.insert(.random(in: 0...255, using: &generator), at: index)
            case 3: request += whole.randomElement(using: &generator) ?? []
            default: request.removeSubrange(max(index, 2)...)
            }
        }
        return request
    }

    // MARK: What the client gets

    @Test(arguments: RequestRefusal.allCases)
    func `a refusal is told by the exception that fits, under the client's unit`(_ refusal: RequestRefusal) {
        let code: UInt8 = refusal == .illegalFunction ? 0x01 : 0x03
        #expect(ModbusMessageRules().respond(toRefused: [0x11, 0x03, 0], refusal) == [0x11, 0x83, code])
        #expect(ModbusMessageRules().respond(toRefused: [0x11, 0x83], refusal) == [0x11, 0x83, code])
        #expect(ModbusMessageRules(unitMap: UnitMap([1: 0])).respond(toRefused: [1, 4], refusal) == [1, 0x84, code])
    }
}
