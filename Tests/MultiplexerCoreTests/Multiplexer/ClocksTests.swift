import MultiplexerCore
import Testing

@Suite struct ClocksTests {
    @Test func `the device's clock runs from sending`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(3), queueTimeout: .seconds(10)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.pass(.seconds(2))
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.pass(.milliseconds(2900)) == "")
        #expect(trace.pass(.milliseconds(100)) == "fail 2 unanswered to B")
        #expect(trace.statistics.unanswered == 1)
    }

    // Trap T13: the deadline covers the wait in the queue.
    @Test func `the client's clock runs from arrival`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(6)))
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(4)) == "fail 1 unanswered to A, send 2 as 2")
        #expect(trace.pass(.milliseconds(1900)) == "")
        #expect(trace.pass(.milliseconds(100)) == "fail 2 expired to B")
        #expect(trace.statistics.expired == 1)
    }

    // Trap T13: an expired request is never sent.
    @Test func `a request that expired while it waited is not sent`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(20), queueTimeout: .seconds(3)))
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(2)) == "fail 1 expired to A")
        #expect(trace.pass(.seconds(1)) == "fail 2 expired to B")
        #expect(trace.response(1) == "")
        #expect(trace.statistics.sent == 1)
    }

    @Test func `a request that expired is not sent though the deadline comes late`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(20), queueTimeout: .seconds(3)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.stall(.seconds(1))
        trace.request(3, from: .c)
        trace.stall(.seconds(2))
        #expect(trace.response(1) == "fail 2 expired to B, send 3 as 2, respond 1 to A")
    }

    @Test func `a request that expired in flight keeps the connection, and its response is swallowed`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(2)))
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(2)) == "fail 1 expired to A")
        trace.request(2, from: .b)
        #expect(trace.response(1) == "send 2 as 2")
        #expect(trace.statistics.strays == 0)
        #expect(trace.response(2) == "respond 2 to B")
    }

    @Test func `a client that leaves after its request expired in flight changes nothing`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(2)))
        trace.request(1, from: .a)
        trace.pass(.seconds(2))
        #expect(trace.leave(.a) == "")
        #expect(trace.statistics.ended == 1)
    }

    @Test func `what waits while there is no connection expires as unreachable`() {
        var trace = Trace(.init(queueTimeout: .seconds(2), connectTimeout: .seconds(5)))
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(2)) == "fail 1 unreachable to A")
    }

    // Trap T16: there is no clock for clients that ask nothing.
    @Test func `an idle client is left alone`() {
        var trace = Trace.ready()
        #expect(trace.pass(.seconds(86_400)) == "")
        #expect(trace.request(1, from: .a) == "send 1 as 1")
    }

    // Trap T13: one slow request costs the others its own timeout and no more.
    @Test func `every client's request ends within its time though the device is silent`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(10)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(trace.pass(.seconds(5)) == "fail 1 unanswered to A, send 2 as 2")
        #expect(trace.pass(.seconds(5)).hasPrefix("fail 2 unanswered to B, disconnect 1"))
        #expect(trace.statistics.ended == 3)
    }
}
