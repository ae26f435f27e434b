import MultiplexerCore
import Testing

// Demand 13: devices close idle and old connections, often just when they are asked. So ours are closed before.
@Suite struct ConnectionAgeTests {
    private let idle = Multiplexer.Configuration(idleClose: .seconds(10))
    private let aging = Multiplexer.Configuration(
        responseTimeout: .seconds(50),
        queueTimeout: .seconds(50),
        connectionLifetime: .seconds(100)
    )

    @Test func `an idle connection is closed and opened again for the next request`() {
        var trace = Trace.ready(idle)
        #expect(trace.pass(.milliseconds(9999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "disconnect 1")
        #expect(trace.closed(1) == "")
        #expect(trace.join(.d) == "")
        #expect(trace.request(1, from: .a) == "connect 2")
        #expect(trace.connected(2) == "send 1 as 1")
    }

    @Test func `a connection is idle from its last answer on`() {
        var trace = Trace.ready(idle)
        trace.pass(.seconds(6))
        trace.request(1, from: .a)
        trace.pass(.seconds(3))
        trace.response(1)
        #expect(trace.pass(.milliseconds(9999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "disconnect 1")
        #expect(trace.reports == "closing idle")
    }

    @Test func `a connection with a request in flight is not idle`() {
        var trace = Trace.ready(
            .init(responseTimeout: .seconds(30), queueTimeout: .seconds(40), idleClose: .seconds(10))
        )
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(29)) == "")
        #expect(trace.response(1) == "respond 1 to A")
    }

    @Test func `a connection that answered nothing is not taken for idle`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(2), idleClose: .seconds(1)), clients: .a)
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(2)) == "fail 1 unanswered to A")
        #expect(trace.pass(.milliseconds(999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "disconnect 1")
        trace.closed(1)
        #expect(trace.reports.hasPrefix("backing off 1"))
        #expect(trace.request(2, from: .a) == "fail 2 unreachable to A")
    }

    @Test func `an old connection is renewed at a quiet moment`() {
        var trace = Trace.ready(aging)
        #expect(trace.pass(.milliseconds(74_999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "disconnect 1")
        #expect(trace.reports == "renewing")
        #expect(trace.closed(1) == "connect 2")
        trace.connected(2)
        #expect(trace.request(1, from: .a) == "send 1 as 1")
        #expect(trace.pass(.seconds(1)) == "")
    }

    @Test func `a connection that grows old in use is renewed when its last request is answered`() {
        var trace = Trace.ready(aging)
        trace.pass(.seconds(70))
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(10)) == "")
        #expect(trace.response(1) == "respond 1 to A, disconnect 1")
    }

    @Test func `a connection that is never quiet is renewed between two requests at its maximum age`() {
        var trace = Trace.ready(aging)
        trace.pass(.seconds(70))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.pass(.seconds(20))
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        trace.request(3, from: .a)
        #expect(trace.pass(.seconds(15)) == "")
        #expect(trace.response(2) == "respond 2 to B, disconnect 1")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 3 as 3")
    }

    @Test func `a renewal is no failure`() {
        var trace = Trace.ready(aging)
        trace.pass(.seconds(75))
        trace.closed(1)
        #expect(trace.reports == "")
    }

    @Test func `the connection outlasts the last client for a while`() {
        var trace = Trace.ready(.init(linger: .seconds(30)), clients: .a)
        #expect(trace.leave(.a) == "")
        #expect(trace.pass(.seconds(29)) == "")
        trace.join(.b)
        #expect(trace.request(1, from: .b) == "send 1 as 1")
        #expect(trace.pass(.seconds(2)) == "")
        trace.response(1)
        trace.leave(.b)
        #expect(trace.pass(.milliseconds(29_999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "disconnect 1")
    }

    @Test func `a connection that ends while it outlasts the last client is not opened again`() {
        var trace = Trace.ready(.init(linger: .seconds(30)), clients: .a)
        trace.request(1, from: .a)
        trace.response(1)
        trace.leave(.a)
        #expect(trace.closed(1) == "")
        #expect(trace.pass(.seconds(60)) == "")
        trace.join(.b)
        #expect(trace.request(2, from: .b) == "connect 2")
    }

    @Test func `a drain does not wait for a connection that lingers`() {
        var trace = Trace.ready(.init(linger: .seconds(30)), clients: .a)
        trace.leave(.a)
        #expect(trace.drain() == "disconnect 1")
        #expect(trace.closed(1) == "drained")
    }
}
