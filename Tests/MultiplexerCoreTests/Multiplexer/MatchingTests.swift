import MultiplexerCore
import Testing

@Suite struct MatchingTests {
    @Test func `a response goes to the client that asked`() {
        var trace = Trace.ready()
        #expect(trace.request(1, from: .a) == "send 1 as 1")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "respond 2 to B")
        #expect(trace.statistics.responses == 2)
    }

    @Test func `the device gets its next request before the client gets its response`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .a)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
    }

    // Trap T7: no reply check; every later answer would be shifted by one.
    @Test func `an unsolicited response is counted and dropped`() {
        var trace = Trace.ready()
        #expect(trace.response(77) == "")
        #expect(trace.reports == "stray 77/259")
        trace.request(1, from: .a)
        #expect(trace.response(77) == "")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.statistics.strays == 2)
    }

    @Test func `a duplicate response is counted and dropped`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.response(1)
        #expect(trace.response(1) == "")
        #expect(trace.response(2) == "respond 2 to B")
        #expect(trace.statistics.strays == 1)
    }

    // Trap T11: a late response neither kills the connection nor shifts the next one.
    @Test func `a late response is dropped and waiting goes on`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A")
        #expect(trace.request(2, from: .b) == "send 2 as 2")
        #expect(trace.response(1) == "")
        #expect(trace.reports == "late 1/259")
        #expect(trace.response(2) == "respond 2 to B")
    }

    // Trap T12: clients use the same ids, so ours are others.
    @Test func `each request travels under an id of its own`() {
        var trace = Trace.ready(.init(inFlightLimit: 3))
        #expect(trace.request(1, from: .a) == "send 1 as 1")
        #expect(trace.request(2, from: .b) == "send 2 as 2")
        #expect(trace.request(3, from: .a) == "send 3 as 3")
        #expect(trace.response(3) == "respond 3 to A")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.response(2) == "respond 2 to B")
    }

    // Trap T12: the id of a request that timed out is in quarantine when all others have been used.
    @Test func `a late response after 65,280 requests is still nobody's`() {
        var trace = Trace.ready(.init(inFlightLimit: 2, responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        let late = trace.id(1)
        var isUsedAgain = false
        for number in 2...65_281 as ClosedRange<UInt16> {
            trace.request(2, from: .b)
            isUsedAgain = isUsedAgain || trace.id(number) == late
            trace.response(number)
        }
        #expect(!isUsedAgain)
        #expect(trace.statistics.responses == 65_280)
        trace.request(2, from: .b)
        #expect(trace.response(1) == "")
        #expect(trace.reports == "late 1/259")
    }

    // Trap T24: what the device answers is the answer, an exception too; the core cannot even tell.
    @Test func `an exception is an answer like any other`() {
        let rules = ModbusMessageRules()
        let request = rules.request([0x01, 0x06, 0x00, 0x01, 0x00, 0x03])
        let exception = rules.correlation(ofResponse: [0x01, 0x86, 0x04])
        var trace = Trace.ready()
        trace.request(1, from: .a, request.correlation.rawValue)
        #expect(trace.response(1, exception.rawValue) == "respond 1 to A")
        #expect(trace.request(2, from: .a) == "send 2 as 2")
    }

    @Test func `a request of a client that never joined is discarded`() {
        var trace = Trace.ready(clients: .a)
        #expect(trace.request(1, from: .d) == "discard 1")
        #expect(trace.statistics.abandoned == 1)
        #expect(trace.statistics.ended == 1)
    }
}
