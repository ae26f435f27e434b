import MultiplexerCore
import Testing

@Suite struct LeavingClientsTests {
    // Trap T13: writes of a client that gave up would be executed late.
    @Test func `waiting requests of a client that left are never sent`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .b)
        #expect(trace.leave(.b) == "discard 2, discard 3")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.statistics.sent == 1)
        #expect(trace.statistics.abandoned == 2)
    }

    // Trap T14: a departing client would kill the shared connection.
    @Test func `the response of one in flight is swallowed and the connection kept`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.leave(.a) == "discard 1")
        #expect(trace.response(1) == "send 2 as 2")
        #expect(trace.statistics.strays == 0)
        #expect(trace.response(2) == "respond 2 to B")
    }

    @Test func `one in flight of a client that left still fills its place until it is answered`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.leave(.a)
        #expect(trace.pass(.milliseconds(900)) == "")
        #expect(trace.pass(.milliseconds(100)) == "send 2 as 2")
        #expect(trace.statistics.unanswered == 0)
    }

    @Test func `the last client's request in flight is awaited before the connection closes`() {
        var trace = Trace.ready(.init(linger: .zero), clients: .a)
        trace.request(1, from: .a)
        #expect(trace.leave(.a) == "discard 1")
        #expect(trace.response(1) == "disconnect 1")
    }

    @Test func `leaving twice or without having joined changes nothing`() {
        var trace = Trace.ready(clients: .a, .b)
        trace.request(1, from: .a)
        trace.leave(.a)
        #expect(trace.leave(.a) == "")
        #expect(trace.leave(.d) == "")
        #expect(trace.statistics.abandoned == 1)
    }

    @Test func `a request read before its client left is discarded`() {
        var trace = Trace.ready(clients: .a, .b)
        trace.leave(.a)
        #expect(trace.request(1, from: .a) == "discard 1")
    }
}
