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
        #expect(rules.reply(toFailed: read, failure) == [0x11, 0x83, code])
    }

    @Test(arguments: Failure.allCases)
    func `a failure reply answers its request, even one without data`(_ failure: Failure) throws {
        let shortest: [UInt8] = [0x00, 0x07]
        let reply = try #require(rules.reply(toFailed: shortest, failure))
        #expect(rules.correlation(ofResponse: reply) == rules.request(shortest).correlation)
    }

    @Test func `a client that has closed its sending side has left`() {
        #expect(!rules.answersAfterEndOfInput)
    }
}
