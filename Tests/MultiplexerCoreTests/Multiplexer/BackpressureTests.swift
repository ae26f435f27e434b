import MultiplexerCore
import Testing

@Suite struct BackpressureTests {
    @Test func `reading pauses at the limit and resumes at half of it`() {
        var trace = Trace.ready(.init(waitingLimit: 4))
        trace.request(1, from: .a)
        for id in 2...4 as ClosedRange<UInt32> { #expect(trace.request(id, from: .a) == "") }
        #expect(trace.request(5, from: .a) == "pause A")
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "resume A, send 3 as 3, respond 2 to A")
    }

    @Test func `frames that were already read are taken without another pause`() {
        var trace = Trace.ready(.init(waitingLimit: 2))
        trace.request(1, from: .a)
        trace.request(2, from: .a)
        #expect(trace.request(3, from: .a) == "pause A")
        #expect(trace.request(4, from: .a) == "")
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "resume A, send 3 as 3, respond 2 to A")
    }

    @Test func `a limit of one lets one wait`() {
        var trace = Trace.ready(.init(waitingLimit: 0))
        #expect(trace.multiplexer.configuration.waitingLimit == 1)
        trace.request(1, from: .a)
        #expect(trace.request(2, from: .a) == "pause A")
        #expect(trace.response(1) == "resume A, send 2 as 2, respond 1 to A")
    }

    @Test func `one client's pause is no other's`() {
        var trace = Trace.ready(.init(waitingLimit: 1))
        trace.request(1, from: .a)
        #expect(trace.request(2, from: .a) == "pause A")
        #expect(trace.request(3, from: .b) == "pause B")
        #expect(trace.response(1) == "resume A, send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "resume B, send 3 as 3, respond 2 to A")
    }

    @Test func `reading resumes when what waited has expired`() {
        var trace = Trace.ready(.init(waitingLimit: 1, responseTimeout: .seconds(9), queueTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.request(2, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 1 expired to A, fail 2 expired to A, resume A")
    }

    @Test func `reading resumes when what waited has failed`() {
        var trace = Trace(.init(waitingLimit: 1))
        trace.join(.a)
        #expect(trace.request(1, from: .a) == "pause A, connect 1")
        #expect(trace.closed(1) == "fail 1 unreachable to A, resume A")
    }

    @Test func `reading resumes in a drain, so that what comes is refused`() {
        var trace = Trace.ready(.init(waitingLimit: 1), clients: .a)
        trace.request(1, from: .a)
        trace.request(2, from: .a)
        #expect(trace.drain() == "fail 2 draining to A, resume A")
        #expect(trace.request(3, from: .a) == "fail 3 draining to A")
    }

    @Test func `a client that left is not resumed`() {
        var trace = Trace.ready(.init(waitingLimit: 1))
        trace.request(1, from: .b)
        trace.request(2, from: .a)
        #expect(trace.leave(.a) == "discard 2")
        #expect(trace.response(1) == "respond 1 to B")
    }
}
