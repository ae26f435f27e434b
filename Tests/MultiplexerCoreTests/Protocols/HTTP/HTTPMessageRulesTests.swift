import MultiplexerCore
import Testing

@Suite struct HTTPMessageRulesTests {
    let rules = HTTPMessageRules()

    private static func request(_ method: String, _ target: String, safe: Bool = true) -> [UInt8] {
        let length = target.utf8.count
        return [1, safe ? 1 : 0, UInt8(method.utf8.count)] + [24, 16, 8, 0].map { UInt8(length >> $0 & 0xFF) }
            + Array((method + target).utf8) + [0, 0, 0]
    }

    // Trap T17: only what changes nothing may be sent twice.
    @Test func `a request may write unless its method is safe`() {
        #expect(!rules.request(Self.request("GET", "/")).mayWrite)
        #expect(rules.request(Self.request("POST", "/", safe: false)).mayWrite)
        #expect(rules.request([]).mayWrite)
    }

    @Test func `a request is summed up by its method and its target`() {
        #expect(rules.summary(ofRequest: Self.request("GET", "/a?b").span) == "GET /a?b")
        #expect(rules.summary(ofRequest: Self.request("GET", "/\u{1B}[31m\n").span) == "GET /?[31m?")
        let long = rules.summary(ofRequest: Self.request("GET", "/" + String(repeating: "a", count: 300)).span)
        #expect(long.count == 205 && long.hasSuffix("…"))
    }

    @Test(arguments: [
        [], [1], [1, 1, 3, 0, 0, 0], [1, 1, 3, 0, 0, 0, 9, 0x47], [1, 1, 255, 255, 255, 255, 255, 0], [2, 0],
    ])
    func `what is no request is summed up by its length`(_ message: [UInt8]) {
        #expect(rules.summary(ofRequest: message.span) == "\(message.count) bytes")
    }

    @Test func `a response says whether it is the last`() {
        #expect(rules.response([2, 1, 0, 200].span).isLast)
        #expect(!rules.response([2, 0, 0, 200].span).isLast)
        #expect(!rules.response([2].span).isLast)
    }

    @Test(arguments: Failure.allCases)
    func `a failure is a record of its own`(_ failure: Failure) throws {
        let reply = try #require(rules.respond(toFailed: Self.request("GET", "/"), failure))
        #expect(HTTPRecord.failure(in: reply.span) == failure)
    }

    @Test(arguments: [[], [3], [3, 99], [2, 0], [3, 0, 0]])
    func `anything else is no failure`(_ record: [UInt8]) {
        #expect(HTTPRecord.failure(in: record.span) == nil)
    }

    @Test func `a client that has closed its sending side still gets its answers`() {
        #expect(rules.allowsHalfClosure)
    }
}
