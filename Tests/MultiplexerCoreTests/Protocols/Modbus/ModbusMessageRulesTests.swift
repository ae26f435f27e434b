import MultiplexerCore
import Testing

@Suite struct ModbusMessageRulesTests {
    let rules = ModbusMessageRules()
    let read: [UInt8] = [0x11, 0x03, 0x00, 0x6B, 0x00, 0x03]

    @Test func `a response of the same unit and function answers a request`() {
        let response: [UInt8] = [0x11, 0x03, 0x06, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64]
        #expect(rules.correlation(ofResponse: response) == rules.request(read).correlation)
    }

    // Trap T24: an exception is a good answer.
    @Test func `an exception of the same unit and function answers a request`() {
        let exception: [UInt8] = [0x11, 0x83, 0x02]
        #expect(rules.correlation(ofResponse: exception) == rules.request(read).correlation)
    }

    @Test(arguments: [[0x12, 0x03, 0x00], [0x11, 0x04, 0x00], [0x12, 0x83, 0x02], [0x03, 0x11, 0x00]] as [[UInt8]])
    func `a response of another unit or function does not`(_ response: [UInt8]) {
        #expect(rules.correlation(ofResponse: response) != rules.request(read).correlation)
    }

    @Test(
        arguments: [
            ([0x11, 0x03, 0x9C, 0x40, 0x00, 0x02], "unit 17: read holding registers (3), address 40000, quantity 2"),
            ([0x01, 0x06, 0x01, 0xF4, 0x00, 0x2A], "unit 1: write single register (6), address 500"),
            (
                [0x01, 0x10, 0x00, 0x05, 0x00, 0x01, 0x02, 0x00, 0x07],
                "unit 1: write multiple registers (16), address 5, quantity 1"
            ),
            (
                [0x01, 0x17, 0x00, 0x05, 0x00, 0x02, 0x00, 0x09, 0x00, 0x01, 0x02, 0x00, 0x07],
                "unit 1: read/write multiple registers (23), address 5, quantity 2, written address 9, written quantity 1"
            ),
            ([0x01, 0x2B, 0x0E, 0x01, 0x00], "unit 1: encapsulated interface transport (43)"),
            // What is refused is told, too, however little of it there is.
            ([0x01, 0x03, 0x00, 0x05, 0x00], "unit 1: read holding registers (3), address 5"),
            ([0x01, 0x03, 0x00], "unit 1: read holding registers (3)"),
            ([0x01, 0x83], "unit 1: function 131"),
        ] as [([UInt8], String)]
    )
    func `a request is told by unit, function and range`(_ request: [UInt8], _ summary: String) {
        #expect(rules.summary(ofRequest: request.span) == summary)
    }

    @Test func `an exception is told by its name and code`() {
        #expect(rules.failure(in: ([0x11, 0x83, 0x02] as [UInt8]).span) == "illegal data address (0x02)")
        #expect(rules.failure(in: ([0x11, 0x83, 0x77] as [UInt8]).span) == "unknown exception (0x77)")
        #expect(rules.failure(in: ([0x11, 0x83] as [UInt8]).span) == "none given")
        #expect(rules.failure(in: ([0x11, 0x03, 0x02, 0x00, 0x01] as [UInt8]).span) == nil)
    }

    @Test func `a request that writes says so`() {
        #expect(!rules.request(read).mayWrite)
        #expect(rules.request([0x11, 0x06, 0x00, 0x01, 0x00, 0x03]).mayWrite)
        #expect(rules.request([0x11, 0x41]).mayWrite)
    }

    @Test(
        arguments: [
            (.unreachable, 0x0A), (.draining, 0x0A), (.unanswered, 0x0B), (.expired, 0x0B),
        ] as [(Failure, UInt8)]
    )
    func `a failure is told by the gateway exception that fits`(_ failure: Failure, _ code: UInt8) {
        #expect(rules.respond(toFailed: read, failure) == [0x11, 0x83, code])
    }

    @Test(arguments: Failure.allCases)
    func `a failure reply answers its request, even one without data`(_ failure: Failure) throws {
        let shortest: [UInt8] = [0x00, 0x07]
        let reply = try #require(rules.respond(toFailed: shortest, failure))
        #expect(rules.correlation(ofResponse: reply) == rules.request(shortest).correlation)
    }

    @Test func `a client that has closed its sending side has left`() {
        #expect(!rules.allowsHalfClosure)
    }

    // MARK: The length of the response

    @Test(arguments: ModbusExchange.all)
    func `a request tells how long its response is, or nothing`(_ exchange: ModbusExchange) {
        let told = exchange.tellsLength ? exchange.response.count : nil
        #expect(rules.request(exchange.request).responseLength == told)
    }

    @Test(
        arguments: [
            // No frame can hold the answer, or there is nothing to answer.
            [1, 3, 0, 0, 0, 126], [1, 4, 0, 0, 0xFF, 0xFF], [1, 1, 0, 0, 0xFF, 0xFF], [1, 2, 0, 0, 0, 0],
            [1, 3, 0, 0, 0, 0], [1, 23, 0, 0, 0, 126, 0, 0, 0, 1, 2, 0, 0],
            // Too short or too long for their function.
            [1, 3, 0, 0, 0, 1, 0], [1, 5, 0, 0, 0], [1, 6, 0, 0, 0, 0, 0], [1, 7, 0], [1, 11, 0], [1, 8, 0],
            [1, 15, 0, 0, 0, 1], [1, 16, 0, 0, 0, 1], [1, 22, 0, 0, 0, 0, 0], [1, 23, 0, 0, 0, 1, 0, 0, 0, 1],
        ] as [[UInt8]]
    )
    func `a malformed request tells nothing`(_ request: [UInt8]) {
        #expect(rules.request(request).responseLength == nil)
    }

    @Test func `no request is too short to be read`() {
        for function in UInt8.min ... .max {
            for length in 2...12 {
                let request = [1, function] + [UInt8](repeating: 1, count: length - 2)
                let told = rules.request(request).responseLength
                #expect(told.map { (2...254).contains($0) } ?? true)
            }
        }
    }

    // MARK: Broadcasts

    // Trap T32: on a serial line no one answers them.
    @Test func `unit 0 is a broadcast on a serial line only`() {
        let write: [UInt8] = [0, 6, 0, 1, 0, 3]
        #expect(rules.request(write).expectsResponse)
        let serial = ModbusMessageRules(broadcastsUnit0: true)
        #expect(!serial.request(write).expectsResponse)
        #expect(serial.request([1, 6, 0, 1, 0, 3]).expectsResponse)
        #expect(serial.request([255, 6, 0, 1, 0, 3]).expectsResponse)
    }

    @Test func `what counts is the unit that the device sees`() {
        let serial = ModbusMessageRules(unitMap: UnitMap([1: 0, 0: 1]), broadcastsUnit0: true)
        #expect(!serial.request([1, 6, 0, 1, 0, 3]).expectsResponse)
        #expect(serial.request([0, 6, 0, 1, 0, 3]).expectsResponse)
    }

    @Test func `each wire has its own broadcasts`() throws {
        let write: [UInt8] = [0, 6, 0, 1, 0, 3]
        for (name, expected) in [("modbus", true), ("modbus-rtu", true), ("modbus-serial", false)] {
            let known = try #require(ApplicationProtocol.named(name))
            #expect(known.messageRules.request(write).expectsResponse == expected)
        }
    }

    // MARK: Unit ids

    @Test func `without a map messages pass as they are`() {
        let response: [UInt8] = [0x11, 0x03, 0x06, 0x02, 0x2B, 0x00, 0x00, 0x00, 0x64]
        #expect(rules.requestForDevice(read) == read)
        #expect(rules.responseForClient(response, respondingTo: read) == response)
    }

    /// What a client asks, what the device gets, what it answers, what the client gets.
    @Test(
        arguments: [
            ([1, 3, 0, 0, 0, 1], [0, 3, 0, 0, 0, 1], [0, 3, 2, 0, 9], [1, 3, 2, 0, 9]),
            ([2, 3, 0, 0, 0, 1], [7, 3, 0, 0, 0, 1], [7, 3, 2, 0, 9], [2, 3, 2, 0, 9]),
            // Trap T10: these reach the same units under their own ids, which an inverse map would change.
            ([0, 3, 0, 0, 0, 1], [0, 3, 0, 0, 0, 1], [0, 3, 2, 0, 9], [0, 3, 2, 0, 9]),
            ([7, 3, 0, 0, 0, 1], [7, 3, 0, 0, 0, 1], [7, 3, 2, 0, 9], [7, 3, 2, 0, 9]),
            // Another client id for the same unit, an exception, a message without data.
            ([3, 3, 0, 0, 0, 1], [7, 3, 0, 0, 0, 1], [7, 0x83, 2], [3, 0x83, 2]),
            ([1, 7], [0, 7], [0, 7, 0xFF], [1, 7, 0xFF]),
        ] as [([UInt8], [UInt8], [UInt8], [UInt8])]
    )
    func `the device sees its unit id and the client its own`(
        _ asked: [UInt8],
        _ sent: [UInt8],
        _ answered: [UInt8],
        _ given: [UInt8]
    ) {
        let rules = ModbusMessageRules(unitMap: UnitMap([1: 0, 2: 7, 3: 7]))
        #expect(rules.requestForDevice(asked) == sent)
        #expect(rules.request(asked).correlation == rules.correlation(ofResponse: answered))
        #expect(rules.responseForClient(answered, respondingTo: asked) == given)
    }

    @Test(arguments: Failure.allCases)
    func `a failure is told under the client's unit id`(_ failure: Failure) {
        let rules = ModbusMessageRules(unitMap: UnitMap([1: 0]))
        #expect(rules.respond(toFailed: [1, 3, 0, 0, 0, 1], failure)?.prefix(2) == [1, 0x83])
    }

    // MARK: From one wire to another

    // Trap T9: the id is the client's own, not one made up.
    @Test(arguments: ModbusExchange.all)
    func `every exchange of a Modbus TCP client can be had with a serial device`(_ exchange: ModbusExchange) throws {
        let (client, device) = (ModbusTCPFraming(), ModbusRTUFraming())
        let asked = client.sealed(exchange.request, transactionID: 0xBEEF)
        let sent = device.sealed(Array(asked[client.envelope(of: asked).message]), transactionID: 0)
        #expect(sent == withModbusCRC(exchange.request))
        let answered = withModbusCRC(exchange.response)
        let pending = rules.request(exchange.request)
        #expect(try FrameFeeding(device, .response, respondingTo: pending).measure(answered) == answered.count)
        let id = client.envelope(of: asked).transactionID
        let given = client.sealed(Array(answered[device.envelope(of: answered).message]), transactionID: id)
        #expect(given.prefix(5) == [0xBE, 0xEF, 0, 0, 0] && Array(given.dropFirst(6)) == exchange.response)
        #expect(try FrameFeeding(client, .response).measure(given) == given.count)
    }

    // Modbus Application Protocol V1.1b3, section 6.8.1: no response is returned.
    @Test(arguments: [(0, true), (1, true), (4, false), (10, true)] as [(UInt8, Bool)])
    func `a device that is told to listen only does not answer`(_ subFunction: UInt8, _ expectsResponse: Bool) {
        let rules = ModbusMessageRules()
        #expect(rules.request([1, 8, 0, subFunction, 0, 0]).expectsResponse == expectsResponse)
        #expect(rules.request([1, 8]).expectsResponse)
    }
}
