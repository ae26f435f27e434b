import MultiplexerCore
import Testing

// Demand 12: devices that are asked too fast fail, so the gap counts from what came last, after failures too.
@Suite struct PacingTests {
    private let gap = Multiplexer.Configuration(responseTimeout: .seconds(1), minimumGap: .milliseconds(100))

    @Test func `the next request leaves a gap after the response`() {
        var trace = Trace.ready(gap)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.pass(.milliseconds(50))
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.pass(.milliseconds(99)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 2 as 2")
    }

    @Test func `a request that comes after the gap goes at once`() {
        var trace = Trace.ready(gap)
        trace.request(1, from: .a)
        trace.response(1)
        trace.pass(.milliseconds(100))
        #expect(trace.request(2, from: .b) == "send 2 as 2")
    }

    @Test func `the next request leaves a gap after a timeout`() {
        var trace = Trace.ready(gap)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A")
        #expect(trace.pass(.milliseconds(99)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 2 as 2")
    }

    @Test func `the next request leaves a gap after a response that is dropped`() {
        var trace = Trace.ready(gap)
        trace.response(77)
        #expect(trace.request(1, from: .a) == "")
        #expect(trace.pass(.milliseconds(100)) == "send 1 as 1")
    }

    @Test func `responses that answer nothing put the next request off once, not for ever`() {
        var trace = Trace.ready(gap)
        trace.pass(.seconds(1))
        trace.response(77)
        trace.request(1, from: .a)
        trace.pass(.milliseconds(60))
        trace.response(78)
        #expect(trace.pass(.milliseconds(40)) == "send 1 as 1")
    }

    // A device that is full accepts and closes, before the gap is over.
    @Test func `a device that closes in the gap while a request waits is backed off from`() {
        var trace = Trace.ready(gap)
        trace.closed(1)
        trace.request(2, from: .a)
        for link in 2...4 as ClosedRange<UInt64> {
            trace.connected(link)
            #expect(trace.closed(link) == "connect \(link + 1)")
            #expect(trace.reports == "closed early")
        }
        trace.connected(5)
        #expect(trace.closed(5) == "fail 2 unreachable to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `the next request leaves a gap after a broadcast's delay`() {
        var trace = Trace.ready(gap)
        trace.broadcast(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.milliseconds(100)) == "complete 1 to A")
        #expect(trace.pass(.milliseconds(100)) == "send 2 as 2")
    }

    @Test func `the gap outlasts a lost connection`() {
        var trace = Trace.ready(gap)
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .b)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "")
        #expect(trace.pass(.milliseconds(100)) == "send 2 as 2")
    }

    @Test func `requests side by side leave a gap between them`() {
        var configuration = gap
        configuration.inFlightLimit = 4
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.milliseconds(100)) == "send 2 as 2")
    }

    // Trap T23: the device still counts the connection that it has just lost.
    @Test func `no connection is opened before the device has settled`() {
        var trace = Trace.ready(.init(settleTime: .milliseconds(500)))
        trace.request(1, from: .a)
        trace.response(1)
        #expect(trace.closed(1) == "")
        #expect(trace.request(2, from: .a) == "")
        #expect(trace.pass(.milliseconds(499)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 2")
    }

    @Test func `a device settles after a connection that we close, too`() {
        var trace = Trace.ready(.init(settleTime: .milliseconds(500), linger: .zero), clients: .a)
        #expect(trace.leave(.a) == "disconnect 1")
        trace.closed(1)
        trace.join(.b)
        #expect(trace.request(1, from: .b) == "")
        #expect(trace.pass(.milliseconds(500)) == "connect 2")
    }

    @Test func `no connection is opened for a request whose time ran out while the device settled`() {
        var trace = Trace.ready(.init(queueTimeout: .milliseconds(400), settleTime: .milliseconds(500)), clients: .a)
        trace.closed(1)
        #expect(trace.request(1, from: .a) == "")
        #expect(trace.pass(.seconds(1)) == "fail 1 unreachable to A")
        #expect(trace.request(2, from: .a) == "connect 2")
    }

    @Test func `a backoff is no shorter than settling`() {
        let backoff = Backoff(initial: .milliseconds(100))
        var trace = Trace(.init(settleTime: .seconds(3), backoff: backoff))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.closed(1)
        #expect(trace.reports == "backing off 1 for 3.0s")
        #expect(trace.pass(.milliseconds(2999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 2")
    }
}
