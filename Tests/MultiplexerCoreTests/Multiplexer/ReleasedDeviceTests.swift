import Testing

@testable import MultiplexerCore

/// The device is left to somebody else for a time.
@Suite struct ReleasedDeviceTests {
    @Test func `what is in flight is finished, then the connection is closed`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.release() == "fail 2 unreachable to B")
        #expect(trace.request(3, from: .c) == "fail 3 unreachable to C")
        #expect(trace.response(1) == "respond 1 to A, disconnect 1")
        #expect(trace.closed(1) == "")
        #expect(trace.request(4, from: .a) == "fail 4 unreachable to A")
    }

    @Test func `once it is ours again the next request connects`() {
        var trace = Trace.ready()
        #expect(trace.release() == "disconnect 1")
        trace.closed(1)
        #expect(trace.pass(.seconds(3600)) == "")
        trace.request(1, from: .a)
        #expect(trace.resume() == "connect 2")
        #expect(trace.resume() == "")
        #expect(trace.connected(2) == "")
        #expect(trace.request(2, from: .a) == "send 2 as 1")
    }

    @Test func `a time ends it by itself`() {
        var trace = Trace.ready()
        trace.release(for: .seconds(10))
        trace.closed(1)
        #expect(trace.pass(.milliseconds(9999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 2")
    }

    @Test func `another release begins anew`() {
        var trace = Trace.ready()
        trace.release(for: .seconds(10))
        trace.closed(1)
        trace.release(for: .seconds(20))
        #expect(trace.pass(.milliseconds(19_999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "connect 2")
    }

    @Test func `a read that was lost is not sent again meanwhile, and nobody is told that it never was`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.response(1)
        trace.read(2, from: .a)
        trace.release()
        #expect(trace.closed(1).contains("fail 2 connectionLost to A"))
    }
}
