import MultiplexerCore
import Testing

@Suite struct CoalescingWindowTests {
    /// B, C and D were answered together, by a device that needed so long.
    private func answered(after time: Duration = .milliseconds(16)) -> Trace {
        var trace = Trace.ready(clients: .a, .b, .c, .d)
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.read(4, from: .d)
        trace.response(1)
        trace.pass(time)
        #expect(trace.response(2) == "respond 2 to B, respond 3 to C, respond 4 to D")
        return trace
    }

    @Test func `the same read waits for all who were answered together`() {
        var trace = answered()
        #expect(trace.read(5, from: .b) == "")
        #expect(trace.read(6, from: .c) == "")
        #expect(trace.read(7, from: .d) == "send 5 as 3")
        #expect(trace.reports == "6 shares with 5, 7 shares with 5")
    }

    @Test func `a read is held back for a quarter of the device's time at most`() {
        var trace = answered()
        trace.pass(.microseconds(300))
        #expect(trace.read(5, from: .b) == "")
        #expect(trace.pass(.microseconds(3699)) == "")
        #expect(trace.pass(.microseconds(1)) == "send 5 as 3")
    }

    @Test func `a read is held back for 5 ms at most`() {
        var trace = answered(after: .seconds(1))
        #expect(trace.read(5, from: .b) == "")
        #expect(trace.pass(.microseconds(4999)) == "")
        #expect(trace.pass(.microseconds(1)) == "send 5 as 3")
    }

    @Test func `a read that comes later is not held back`() {
        var trace = answered()
        trace.pass(.milliseconds(4))
        #expect(trace.read(5, from: .b) == "send 5 as 3")
    }

    @Test func `another request is sent at once and ends the wait`() {
        var trace = answered()
        #expect(trace.read(5, from: .b, 2) == "send 5 as 3")
        #expect(trace.read(6, from: .c) == "")
        #expect(trace.response(3) == "send 6 as 4, respond 5 to B")
    }

    @Test func `a read that only one was answered is not held back`() {
        var trace = Trace.ready()
        trace.read(1, from: .a)
        trace.pass(.milliseconds(16))
        trace.response(1)
        #expect(trace.read(2, from: .a) == "send 2 as 2")
    }

    @Test func `a client that asks several times counts once`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        for id in [2, 3, 4] as [UInt32] { trace.read(id, from: .b) }
        for id in [5, 6] as [UInt32] { trace.read(id, from: .c) }
        trace.response(1)
        trace.pass(.milliseconds(16))
        trace.response(2)
        #expect(trace.read(7, from: .b) == "")
        #expect(trace.read(8, from: .c) == "send 7 as 3")
    }

    @Test func `a client that left is not waited for`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.response(1)
        trace.leave(.c)
        trace.pass(.milliseconds(16))
        trace.response(2)
        #expect(trace.read(4, from: .b) == "send 4 as 3")
    }

    // What can be given from memory need not be gathered for.
    @Test func `nothing is held back where the response is kept`() {
        var trace = Trace.ready(.init(maximumResponseAge: .microseconds(100)))
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.response(1)
        trace.pass(.milliseconds(16))
        #expect(trace.response(2) == "keep in 0, respond 2 to B, respond 3 to C")
        trace.pass(.microseconds(101))
        #expect(trace.read(4, from: .b) == "send 4 as 3")
    }
}
