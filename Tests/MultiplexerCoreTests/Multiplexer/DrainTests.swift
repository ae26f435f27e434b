import MultiplexerCore
import Testing

/// A drain begun in each state of the connection (trap T26).
@Suite struct DrainTests {
    @Test func `with nothing to do it is over at once`() {
        var trace = Trace()
        #expect(trace.drain() == "drained")
    }

    @Test func `while connecting, what waits fails and the attempt is given up`() {
        var trace = Trace()
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.drain() == "fail 1 draining to A, disconnect 1, close A")
        #expect(trace.leave(.a) == "")
        #expect(trace.closed(1) == "drained")
    }

    @Test func `while delaying, the connection is closed`() {
        var trace = Trace(.init(delayAfterConnect: .seconds(1)))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.connected(1)
        #expect(trace.drain() == "fail 1 draining to A, disconnect 1, close A")
        #expect(trace.closed(1) == "")
        #expect(trace.leave(.a) == "drained")
    }

    @Test func `while ready, what is in flight is finished and the rest fails`() {
        var trace = Trace.ready(clients: .a, .b)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.drain() == "fail 2 draining to B")
        #expect(trace.request(3, from: .b) == "fail 3 draining to B")
        #expect(trace.response(1) == "respond 1 to A, disconnect 1, close A, close B")
        trace.leave(.a)
        trace.leave(.b)
        #expect(trace.closed(1) == "drained")
        #expect(trace.statistics.drained == 2)
    }

    @Test func `while closing, the end of the connection is awaited`() {
        var trace = Trace.ready(.init(linger: .zero), clients: .a)
        trace.leave(.a)
        #expect(trace.drain() == "")
        #expect(trace.closed(1) == "drained")
    }

    @Test func `while backing off, nothing is awaited but the clients`() {
        var trace = Trace()
        trace.join(.a)
        trace.request(1, from: .a)
        trace.closed(1)
        #expect(trace.drain() == "close A")
        #expect(trace.leave(.a) == "drained")
        #expect(trace.pass(.seconds(60)) == "")
    }

    @Test func `a device that is silent ends it by its own timeout`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1)), clients: .a)
        trace.request(1, from: .a)
        trace.drain()
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A, disconnect 1, close A")
    }

    @Test func `a connection that is lost in it is not opened again`() {
        var trace = Trace.ready(clients: .a)
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .a)
        trace.drain()
        #expect(trace.closed(1) == "fail 2 connectionLost to A, close A")
        #expect(trace.leave(.a) == "drained")
    }

    @Test func `a client that joins in it is closed`() {
        var trace = Trace.ready(clients: .a)
        trace.request(1, from: .a)
        trace.drain()
        #expect(trace.join(.b) == "close B")
        #expect(trace.request(2, from: .b) == "fail 2 draining to B")
    }

    @Test func `a client that stays does not hold it up beyond its timeout`() {
        var trace = Trace.ready(.init(drainTimeout: .seconds(3)), clients: .a)
        #expect(trace.drain() == "disconnect 1, close A")
        trace.closed(1)
        #expect(trace.pass(.milliseconds(2900)) == "")
        #expect(trace.pass(.milliseconds(100)) == "drained")
    }

    @Test func `a connection that does not close does not hold it up beyond its timeout`() {
        var trace = Trace.ready(.init(drainTimeout: .seconds(3)), clients: .a)
        trace.drain()
        trace.leave(.a)
        #expect(trace.pass(.seconds(3)) == "drained")
    }

    // The device may have done it: nobody may say that it was never sent.
    @Test func `when its time runs out before the device answered, clients hear of a lost connection and are closed`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(9), drainTimeout: .seconds(3)), clients: .a, .b)
        trace.request(1, from: .a)
        trace.drain()
        #expect(trace.pass(.seconds(3)) == "fail 1 connectionLost to A, disconnect 1, close A, close B, drained")
        #expect(trace.reports == "drain overdue with 1 unanswered")
    }

    @Test func `a client is closed once, whenever it joined`() {
        var trace = Trace.ready(clients: .a)
        trace.request(1, from: .a)
        trace.drain()
        trace.join(.b)
        #expect(trace.response(1) == "respond 1 to A, disconnect 1, close A")
    }

    @Test func `a second request for it changes nothing`() {
        var trace = Trace.ready(.init(drainTimeout: .seconds(3)), clients: .a)
        trace.request(1, from: .a)
        trace.drain()
        trace.pass(.seconds(2))
        #expect(trace.drain() == "")
        #expect(trace.pass(.seconds(1)).contains("fail 1 connectionLost to A"))
    }

    @Test func `nothing happens after it`() {
        var trace = Trace()
        trace.drain()
        #expect(trace.join(.a) == "close A")
        #expect(trace.request(1, from: .a) == "fail 1 draining to A")
        #expect(trace.leave(.a) == "")
        #expect(trace.drain() == "")
        #expect(trace.pass(.seconds(60)) == "")
        #expect(trace.statistics.connects == 0)
    }
}
