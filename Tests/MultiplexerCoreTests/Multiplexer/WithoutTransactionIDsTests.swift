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

    // Trap T7: the next message would be taken for the answer to the next request, and so on for ever.
    @Test func `a message that answers nothing costs the connection before the next request is sent`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        #expect(trace.response(0) == "disconnect 1")
        #expect(trace.reports == "stray 0/259, replacing 1 after stray")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 0")
    }

    @Test func `a message that answers another request fails what is in flight`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        trace.request(2, from: .a, 0x0103)
        #expect(trace.response(0, 0x0203) == "fail 2 connectionLost to A, disconnect 1")
    }

    // Nothing was asked yet, so nothing can be mistaken for its answer.
    @Test func `a greeting during the delay after connecting is dropped`() {
        var trace = Trace(.init(carriesTransactionIDs: false, delayAfterConnect: .seconds(1)))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.connected(1)
        #expect(trace.response(0) == "")
        #expect(trace.pass(.seconds(1)) == "send 1 as 0")
        #expect(trace.response(0) == "respond 1 to A")
        #expect(trace.statistics.strays == 1)
    }

    // Trap T20: a message of the host must not become the answer to the next client.
    @Test func `a message that the device sends of its own accord is dropped and the connection kept`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        #expect(trace.unsolicited() == "")
        #expect(trace.reports == "unsolicited")
        #expect(trace.response(0) == "respond 1 to A")
        #expect(trace.unsolicited() == "")
        #expect(trace.request(2, from: .b) == "send 2 as 0")
        #expect(trace.statistics.strays == 2)
    }

    @Test func `a damaged answer costs its request and not the connection`() {
        var trace = Trace.ready(configuration)
        trace.write(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.damaged() == "fail 1 connectionLost to A, send 2 as 0")
        #expect(trace.response(0) == "respond 2 to B")
    }

    @Test func `damage that answers nothing changes nothing`() {
        var trace = Trace.ready(configuration)
        #expect(trace.damaged() == "")
        trace.request(1, from: .a)
        #expect(trace.damaged(on: 7) == "")
        #expect(trace.response(0) == "respond 1 to A")
        var withIDs = Trace.ready()
        withIDs.request(1, from: .a)
        #expect(withIDs.damaged() == "")
        #expect(withIDs.response(1) == "respond 1 to A")
    }

    @Test func `the request that is awaited is the one in flight`() {
        var trace = Trace.ready(configuration)
        #expect(trace.multiplexer.awaited == nil)
        trace.request(1, from: .a, 0x0104)
        trace.request(2, from: .b, 0x0105)
        #expect(trace.multiplexer.awaited?.correlation == Correlation(rawValue: 0x0104))
        // Its answer still comes, and must be measured.
        trace.leave(.a)
        #expect(trace.multiplexer.awaited?.correlation == Correlation(rawValue: 0x0104))
        trace.response(0, 0x0104)
        #expect(trace.multiplexer.awaited?.correlation == Correlation(rawValue: 0x0105))
    }

    @Test func `after its last response a connection is closed before the next request is sent`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.lastResponse(0) == "disconnect 1, respond 1 to A")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 0")
    }

    @Test func `what else is in flight when the last response comes is lost`() {
        var trace = Trace.ready(.init(inFlightLimit: 2))
        trace.request(1, from: .a)
        trace.write(2, from: .b)
        #expect(trace.lastResponse(1) == "fail 2 connectionLost to B, disconnect 1, respond 1 to A")
        #expect(trace.closed(1) == "connect 2")
    }
}
