import MultiplexerCore
import Testing

/// Wires on which responses cannot be told apart.
@Suite struct WithoutTransactionIDsTests {
    let configuration = Multiplexer.Configuration(
        carriesTransactionIDs: false,
        inFlightLimit: 16,
        responseTimeout: .seconds(1)
    )

    @Test func `one request is in flight and any message answers it`() {
        var trace = Trace.ready(configuration)
        #expect(trace.request(1, from: .a) == "send 1 as 0")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.response(0) == "send 2 as 0, respond 1 to A")
    }

    // Trap T8: a connection with an unanswered request is never used again.
    @Test func `the connection is replaced after a timeout before the next request is sent`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A, disconnect 1")
        #expect(trace.response(0) == "")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 3 as 0")
        #expect(trace.response(0, on: 2) == "respond 3 to B")
    }

    @Test func `the response of a client that left is swallowed, not given to the next`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.leave(.a) == "discard 1")
        #expect(trace.response(0) == "send 2 as 0")
        #expect(trace.response(0) == "respond 2 to B")
    }

    @Test func `a client that left and a device that is silent cost the connection`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        trace.leave(.a)
        #expect(trace.pass(.seconds(1)) == "disconnect 1")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 3 as 0")
    }
}
