import MultiplexerCore
import Testing

@Suite struct SilentDeviceTests {
    let configuration = Multiplexer.Configuration(responseTimeout: .seconds(1))

    @Test func `one request without an answer keeps the connection`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A, send 2 as 2")
        #expect(trace.response(2) == "respond 2 to B")
    }

    @Test func `two in a row replace the connection`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        trace.request(4, from: .c)
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A, send 3 as 3")
        #expect(trace.pass(.seconds(1)) == "fail 3 unanswered to B, disconnect 1")
        #expect(trace.reports == "timed out 3, request 3, replacing 1 after silence")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 4 as 4")
    }

    @Test func `an answer between two silences keeps the connection`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        trace.request(2, from: .a)
        trace.response(2)
        trace.request(3, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 3 unanswered to A")
    }

    @Test func `a device that answers after a silence is said to answer again, once`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        #expect(trace.reports == "")
        trace.request(2, from: .a)
        trace.pass(.seconds(1))
        #expect(trace.reports == "timed out 2, request 2")
        trace.request(3, from: .a)
        trace.response(3)
        #expect(trace.reports == "answers again")
        trace.request(4, from: .a)
        trace.response(4)
        #expect(trace.reports == "")
    }

    @Test func `a device that answers on the connection after two silences is said to answer again`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        for id in 2...3 as ClosedRange<UInt32> {
            trace.request(id, from: .a)
            trace.pass(.seconds(1))
        }
        trace.closed(1)
        trace.connected(2)
        trace.request(4, from: .a)
        trace.response(4, on: 2)
        #expect(trace.reports == "answers again")
    }

    // Its id may be another's by then.
    @Test func `what timed out is named by one of those that asked and are left`() {
        var trace = Trace.ready(configuration)
        trace.ask(1, about: 7, from: .a)
        trace.leave(.a)
        trace.ask(1, about: 9, from: .b)
        trace.pass(.seconds(1))
        #expect(trace.reports == "timed out 1, request of nobody")
        trace.pass(.seconds(1))
        #expect(trace.reports == "timed out 2, request 1, replacing 1 after silence")
    }

    @Test func `silences of the old connection do not count for the new one`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .a)
        trace.pass(.seconds(1))
        trace.closed(1)
        trace.connected(2)
        trace.request(3, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 3 unanswered to A")
    }

    @Test func `a connection on which nothing ever answered is backed off from`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        trace.request(2, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A, disconnect 1")
        #expect(trace.closed(1) == "")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `a connection that is replaced fails all that is in flight on it`() {
        var trace = Trace.ready(.init(inFlightLimit: 4, responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.pass(.milliseconds(500))
        trace.request(3, from: .c)
        #expect(
            trace.pass(.milliseconds(500))
                == "fail 1 unanswered to A, fail 2 unanswered to B, fail 3 unanswered to C, disconnect 1"
        )
        #expect(trace.statistics.ended == 3)
    }
}
