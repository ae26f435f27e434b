import MultiplexerCore
import Testing

/// The states of the connection and every exit of theirs.
@Suite struct ConnectionTests {
    @Test func `down becomes connecting with the first request`() {
        var trace = Trace()
        trace.join(.a)
        trace.join(.b)
        #expect(trace.request(1, from: .a) == "connect 1")
        #expect(trace.request(2, from: .b) == "")
    }

    // A probe of the port, for example.
    @Test func `a client that asks nothing opens no connection`() {
        var trace = Trace()
        #expect(trace.join(.a) == "")
        #expect(trace.pass(.seconds(60)) == "")
        #expect(trace.leave(.a) == "")
        #expect(trace.statistics.connects == 0)
    }

    @Test func `a client that asks nothing keeps no connection`() {
        var trace = Trace.ready(.init(linger: .zero), clients: .a)
        trace.join(.b)
        #expect(trace.leave(.a) == "disconnect 1")
        #expect(trace.closed(1) == "")
    }

    @Test func `connecting becomes ready and waiting requests are sent`() {
        var trace = Trace()
        trace.join(.a)
        #expect(trace.request(1, from: .a) == "connect 1")
        #expect(trace.connected(1) == "send 1 as 1")
        #expect(trace.reports == "ready 1")
    }

    // The first request after a connect would be swallowed.
    @Test func `connecting becomes delaying and nothing is sent meanwhile`() {
        var trace = Trace(.init(delayAfterConnect: .seconds(2)))
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.connected(1) == "")
        #expect(trace.pass(.milliseconds(1900)) == "")
        #expect(trace.pass(.milliseconds(100)) == "send 1 as 1")
    }

    @Test func `connecting becomes closing when nobody is left`() {
        var trace = Trace(.init(linger: .zero))
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.leave(.a) == "discard 1, disconnect 1")
        #expect(trace.connected(1) == "")
        #expect(trace.closed(1) == "")
        trace.join(.b)
        #expect(trace.request(1, from: .b) == "connect 2")
    }

    @Test func `connecting becomes closing when the device takes too long`() {
        var trace = Trace(.init(connectTimeout: .seconds(3)))
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(3)) == "disconnect 1, fail 1 unreachable to A")
        #expect(trace.reports == "connect timed out 1")
        #expect(trace.connected(1) == "")
        #expect(trace.closed(1) == "")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `connecting becomes backing off when it is refused`() {
        var trace = Trace()
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.closed(1) == "fail 1 unreachable to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `delaying becomes closing when nobody is left`() {
        var trace = Trace(.init(delayAfterConnect: .seconds(2), linger: .zero))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.connected(1)
        #expect(trace.leave(.a) == "discard 1, disconnect 1")
        #expect(trace.pass(.seconds(3)) == "")
    }

    @Test func `delaying becomes connecting when the device closes, and nobody's request fails`() {
        var trace = Trace(.init(delayAfterConnect: .seconds(2)))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.connected(1)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.reports == "closed early")
        trace.connected(2)
        #expect(trace.pass(.seconds(2)) == "send 1 as 1")
    }

    @Test func `delaying becomes backing off when the device closes a fourth time in a row`() {
        var trace = Trace(.init(delayAfterConnect: .seconds(2)))
        trace.join(.a)
        trace.request(1, from: .a)
        for link in 1...3 as ClosedRange<UInt64> {
            trace.connected(link)
            #expect(trace.closed(link) == "connect \(link + 1)")
        }
        trace.connected(4)
        #expect(trace.closed(4) == "fail 1 unreachable to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
        #expect(trace.pass(.seconds(2)) == "connect 5")
        trace.connected(5)
        #expect(trace.closed(5) == "")
        #expect(trace.reports.hasPrefix("backing off 2"))
    }

    @Test func `ready becomes closing when the last client leaves`() {
        var trace = Trace.ready(.init(linger: .zero), clients: .a, .b)
        #expect(trace.leave(.a) == "")
        #expect(trace.leave(.b) == "disconnect 1")
    }

    @Test func `ready becomes down when a working connection is lost, and another is opened at once`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.response(1)
        trace.write(2, from: .a)
        trace.request(3, from: .b)
        #expect(trace.closed(1) == "fail 2 connectionLost to A, connect 2")
        #expect(trace.reports == "lost with 1 unanswered")
        #expect(trace.connected(2) == "send 3 as 3")
    }

    @Test func `ready becomes backing off when a connection is lost that never answered`() {
        var trace = Trace.ready()
        trace.write(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.closed(1) == "fail 1 connectionLost to A, fail 2 unreachable to B")
    }

    @Test func `a connection closed before anything was asked is opened again for the next request`() {
        var trace = Trace.ready(clients: .a)
        #expect(trace.closed(1) == "")
        #expect(trace.reports == "closed unused")
        #expect(trace.join(.b) == "")
        trace.stall(.seconds(330))
        #expect(trace.request(1, from: .a) == "connect 2")
        #expect(trace.connected(2) == "send 1 as 1")
    }

    @Test func `a connection that rests is opened again for the first request after the last client left`() {
        var trace = Trace.ready(clients: .a)
        trace.closed(1)
        trace.leave(.a)
        #expect(trace.join(.b) == "")
        #expect(trace.request(1, from: .b) == "connect 2")
    }

    // Traps T22 and T23: never two connections; the end of the old one is awaited.
    @Test func `closing waits for its end before another connection is opened`() {
        var trace = Trace.ready(.init(linger: .zero), clients: .a)
        trace.leave(.a)
        #expect(trace.join(.b) == "")
        #expect(trace.request(1, from: .b) == "")
        #expect(trace.pass(.seconds(5)) == "")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 1 as 1")
    }

    @Test func `closing becomes backing off after a failure`() {
        var trace = Trace(.init(connectTimeout: .seconds(3)))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.pass(.seconds(3))
        #expect(trace.request(2, from: .a) == "")
        #expect(trace.closed(1) == "fail 2 unreachable to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `what waits for a closing that never ends expires`() {
        var trace = Trace.ready(.init(queueTimeout: .seconds(2), linger: .zero), clients: .a)
        trace.leave(.a)
        trace.join(.b)
        trace.request(1, from: .b)
        #expect(trace.pass(.seconds(2)) == "fail 1 unreachable to B")
    }

    @Test func `backing off becomes connecting when its time has come`() {
        var trace = Trace(.init(backoff: Backoff(initial: .seconds(1))))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.closed(1)
        #expect(trace.pass(.milliseconds(1200)) == "connect 2")
    }

    @Test func `backing off becomes down when nobody is left`() {
        var trace = Trace()
        trace.join(.a)
        trace.request(1, from: .a)
        trace.closed(1)
        trace.leave(.a)
        #expect(trace.pass(.seconds(60)) == "")
        trace.join(.b)
        #expect(trace.request(2, from: .b) == "connect 2")
    }

    @Test func `connections are numbered and never numbered again`() {
        var trace = Trace(.init(linger: .zero))
        for number in 1...5 as ClosedRange<UInt64> {
            trace.join(.a)
            #expect(trace.request(1, from: .a) == "connect \(number)")
            #expect(trace.leave(.a) == "discard 1, disconnect \(number)")
            trace.closed(number)
        }
        #expect(trace.statistics.connects == 5)
    }
}
