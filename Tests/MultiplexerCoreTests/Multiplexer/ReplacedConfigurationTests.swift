import Testing

@testable import MultiplexerCore

/// Other times and limits, while requests wait and are in flight.
@Suite struct ReplacedConfigurationTests {
    @Test func `what waits and is in flight keeps its deadlines`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(10)))
        #expect(trace.request(1, from: .a) == "send 1 as 1")
        trace.request(2, from: .b)
        trace.replace { ($0.responseTimeout, $0.queueTimeout) = (.seconds(1), .seconds(2)) }
        #expect(trace.pass(.milliseconds(4999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "fail 1 unanswered to A, send 2 as 2")
        // Sent with the shorter time.
        #expect(trace.pass(.seconds(1)).hasPrefix("fail 2 unanswered to B"))
    }

    @Test func `what comes behind a request with more time has as much`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(60), queueTimeout: .seconds(10)))
        trace.request(1, from: .b)
        trace.request(2, from: .a)
        trace.replace { $0.queueTimeout = .seconds(1) }
        trace.request(3, from: .a)
        trace.request(4, from: .c)
        #expect(trace.pass(.seconds(1)) == "fail 4 expired to C")
        #expect(trace.pass(.seconds(8)) == "")
        #expect(trace.pass(.seconds(1)) == "fail 1 expired to B, fail 2 expired to A, fail 3 expired to A")
    }

    @Test func `a request that comes again is not given less time`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(60), queueTimeout: .seconds(10)))
        trace.request(1, from: .a)
        trace.replace { $0.queueTimeout = .seconds(1) }
        trace.repeated(1)
        #expect(trace.pass(.seconds(9)) == "")
        #expect(trace.pass(.seconds(1)) == "fail 1 expired to A")
    }

    @Test func `a larger limit sends what waits, and a smaller one waits until there is room`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(trace.replace { $0.inFlightLimit = 2 } == "send 2 as 2")
        #expect(trace.replace { $0.inFlightLimit = 1 } == "")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
    }

    @Test func `reading pauses and goes on as the limit of waiting requests says`() {
        var trace = Trace.ready(.init(waitingLimit: 4))
        trace.request(1, from: .b)
        for id in 2...4 as ClosedRange<UInt32> { trace.request(id, from: .a) }
        #expect(trace.replace { $0.waitingLimit = 2 } == "pause A")
        #expect(trace.replace { $0.waitingLimit = 2 } == "")
        #expect(trace.replace { $0.waitingLimit = 8 } == "resume A")
    }

    @Test func `a gap holds from now on, and ends where there is none any more`() {
        var trace = Trace.ready()
        #expect(trace.replace { $0.minimumGap = .seconds(1) } == "")
        #expect(trace.request(1, from: .a) == "")
        #expect(trace.pass(.seconds(1)) == "send 1 as 1")
        trace.response(1)
        trace.request(2, from: .a)
        #expect(trace.replace { $0.minimumGap = .zero } == "send 2 as 2")
    }

    @Test func `reads share as long as they may`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.replace { $0.sharesReads = false }
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        trace.read(4, from: .a)
        trace.read(5, from: .b)
        trace.replace { $0.sharesReads = true }
        #expect(trace.response(3) == "send 4 as 4, respond 3 to C")
        #expect(trace.response(4) == "respond 4 to A, respond 5 to B")
    }

    @Test func `what is kept is given as long as it may be`() {
        var trace = Trace.ready(.init(maximumResponseAge: .seconds(10)))
        trace.read(1, from: .a)
        #expect(trace.response(1) == "keep in 0, respond 1 to A")
        trace.pass(.seconds(2))
        trace.replace { $0.maximumResponseAge = .seconds(3) }
        #expect(trace.read(2, from: .b) == "respond 2 from 0, 2.0s old, to B")
        trace.replace { $0.maximumResponseAge = nil }
        #expect(trace.read(3, from: .b) == "send 3 as 2")
        #expect(trace.response(2) == "respond 3 to B")
        trace.replace { $0.maximumResponseAge = .seconds(60) }
        #expect(trace.read(4, from: .c) == "send 4 as 3")
    }

    @Test func `writes go first as soon as they are to`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.write(3, from: .c)
        trace.replace { $0.sendsWritesFirst = true }
        #expect(trace.response(1) == "send 3 as 2, respond 1 to A")
    }

    @Test func `an idle connection is closed after the time that holds now`() {
        var trace = Trace.ready()
        trace.pass(.seconds(5))
        #expect(trace.replace { $0.idleClose = .seconds(20) } == "")
        #expect(trace.pass(.seconds(14)) == "")
        #expect(trace.pass(.seconds(1)) == "disconnect 1")
    }

    @Test func `a wire keeps its transaction ids, or has none`() {
        var trace = Trace.ready()
        trace.replace { $0.carriesTransactionIDs = false }
        #expect(trace.multiplexer.configuration.carriesTransactionIDs)
    }

    @Test func `no connection is opened before it is allowed, and requests wait within their time`() {
        var trace = Trace(.init(queueTimeout: .seconds(3)), mayConnect: false)
        trace.join(.a)
        trace.join(.b)
        #expect(trace.request(1, from: .a) == "")
        #expect(trace.pass(.seconds(3)) == "fail 1 unreachable to A")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.allow() == "connect 1")
        #expect(trace.connected(1) == "send 2 as 1")
    }

    @Test func `a device that had another connection until now is given time, and may still count it`() {
        var trace = Trace(.init(settleTime: .seconds(1)), mayConnect: false)
        trace.join(.a)
        trace.request(1, from: .a)
        #expect(trace.allow(isSameDevice: true) == "")
        #expect(trace.pass(.seconds(1)) == "connect 1")
        // Refused, which is no failure.
        #expect(trace.closed(1) == "")
        #expect(trace.reports.contains("old connection counted"))
    }
}
