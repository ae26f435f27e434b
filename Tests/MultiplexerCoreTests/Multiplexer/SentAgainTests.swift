import MultiplexerCore
import Testing

// Trap T17: peers send anything again after any failure, and a write may act twice.
@Suite struct SentAgainTests {
    @Test func `a read is sent once more when its connection ends before a byte of the answer`() {
        var trace = Trace.answered()
        trace.request(2, from: .a)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.reports == "lost with 1 unanswered, again 2")
        #expect(trace.connected(2) == "send 2 as 3")
        #expect(trace.response(3, on: 2) == "respond 2 to A")
        #expect(trace.statistics.sentAgain == 1)
    }

    @Test func `a write is not sent again`() {
        var trace = Trace.answered()
        trace.write(2, from: .a)
        #expect(trace.closed(1) == "fail 2 connectionLost to A, connect 2")
        #expect(trace.connected(2) == "")
    }

    @Test func `a read of whose answer a byte has come is not sent again`() {
        var trace = Trace.answered()
        trace.request(2, from: .a)
        #expect(trace.closed(1, midResponse: true) == "fail 2 connectionLost to A, connect 2")
    }

    @Test func `a read is not sent a third time`() {
        var trace = Trace.answered()
        trace.request(2, from: .a)
        trace.closed(1)
        trace.connected(2)
        #expect(trace.closed(2) == "fail 2 connectionLost to A")
        #expect(trace.reports.hasPrefix("backing off 1"))
    }

    @Test func `a read that timed out is not sent again`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false, responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A, disconnect 1")
        #expect(trace.closed(1) == "")
    }

    @Test func `reads that are sent again keep their order, and go before what waits`() {
        var trace = Trace.answered(.init(inFlightLimit: 3))
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        trace.request(4, from: .a)
        trace.request(5, from: .a)
        trace.request(6, from: .c)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 5, send 3 as 6, send 6 as 7")
        #expect(trace.response(6, on: 2) == "send 4 as 8, respond 3 to B")
        #expect(trace.response(5, on: 2) == "send 5 as 9, respond 2 to A")
    }

    @Test func `writes beside a read that is sent again fail`() {
        var trace = Trace.answered(.init(inFlightLimit: 3))
        trace.write(2, from: .a)
        trace.request(3, from: .a)
        trace.broadcast(4, from: .b)
        #expect(trace.closed(1) == "fail 2 connectionLost to A, complete 4 to B, connect 2")
        #expect(trace.connected(2) == "send 3 as 5")
    }

    @Test func `a read whose client left is not sent again`() {
        var trace = Trace.answered()
        trace.request(2, from: .a)
        trace.leave(.a)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "")
    }

    @Test func `a read that is sent again has no more time than before`() {
        var trace = Trace.answered(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(6)))
        trace.request(2, from: .a)
        trace.pass(.seconds(4))
        trace.closed(1)
        trace.connected(2)
        #expect(trace.pass(.milliseconds(1999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "fail 2 expired to A")
    }

    @Test func `a read whose time is over is not sent again`() {
        var trace = Trace.answered(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(6)))
        trace.request(2, from: .a)
        trace.stall(.seconds(6))
        #expect(trace.closed(1) == "fail 2 connectionLost to A, connect 2")
    }

    @Test func `nothing is sent again in a drain`() {
        var trace = Trace.answered()
        trace.request(2, from: .a)
        trace.drain()
        #expect(trace.closed(1) == "fail 2 connectionLost to A, close A, close B, close C")
    }

    @Test func `what is in flight behind a last response is sent again`() {
        var trace = Trace.answered(.init(inFlightLimit: 2))
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        #expect(trace.lastResponse(2) == "disconnect 1, respond 2 to A")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 3 as 4")
    }

    // A device that closes an idle connection just when it is asked is as good as one that answered.
    @Test func `a first connection that ends unanswered is followed by another at once, the second is not`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 1 as 2")
        #expect(trace.closed(2) == "fail 1 connectionLost to A, fail 2 unreachable to B")
        #expect(trace.reports.hasPrefix("backing off 1"))
        trace.pass(.seconds(2))
        trace.connected(3)
        trace.request(3, from: .a)
        #expect(trace.closed(3) == "fail 3 connectionLost to A")
        #expect(trace.reports.hasPrefix("backing off 2"))
    }
}

// No byte left the machine: then even a write may be sent again.
@Suite struct UnsentTests {
    @Test func `a write of which no byte left is sent on the next connection`() {
        var trace = Trace.answered()
        trace.write(2, from: .a)
        #expect(trace.unsent(2) == "")
        #expect(trace.request(3, from: .b) == "")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.reports == "lost with 1 unanswered, again 2")
        #expect(trace.connected(2) == "send 2 as 3")
    }

    @Test func `it is taken back once`() {
        var trace = Trace.answered()
        trace.write(2, from: .a)
        trace.unsent(2)
        trace.closed(1)
        trace.connected(2)
        // Sooner the device might still count the first connection.
        trace.pass(.seconds(1))
        trace.unsent(2, on: 2)
        #expect(trace.closed(2) == "fail 2 connectionLost to A")
    }

    @Test func `an end that is no failure brings the next connection at once`() {
        var trace = Trace.ready()
        trace.write(1, from: .a)
        trace.unsent(1)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 1 as 2")
    }

    @Test func `several of which no byte left are sent in their order, behind a read that is sent again`() {
        var trace = Trace.answered(.init(inFlightLimit: 3))
        trace.request(2, from: .a)
        trace.write(3, from: .a)
        trace.unsent(3)
        trace.write(4, from: .a)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 4, send 3 as 5, send 4 as 6")
    }

    @Test func `of a client that has left nothing is taken back`() {
        var trace = Trace.answered()
        trace.write(2, from: .a)
        trace.leave(.a)
        #expect(trace.unsent(2) == "")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "")
    }

    @Test func `a broadcast of which no byte left is sent on the next connection`() {
        var trace = Trace.answered()
        trace.broadcast(2, from: .a)
        trace.unsent(2)
        trace.closed(1)
        #expect(trace.connected(2) == "send 2 as 3")
    }

    @Test func `what an older connection tells is of no interest`() {
        var trace = Trace.answered()
        trace.closed(1)
        trace.connected(2)
        trace.write(2, from: .a)
        #expect(trace.unsent(2, on: 1) == "")
        #expect(trace.response(2, on: 2, 0x0106) == "respond 2 to A")
    }
}

extension Trace {
    /// Connection 1 has answered request 1.
    fileprivate static func answered(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        return trace
    }
}
