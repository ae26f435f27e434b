import MultiplexerCore
import Testing

// A client that sends again what was not answered gets one answer, and the device is asked once.
@Suite struct RepeatedRequestsTests {
    private let configuration = Multiplexer.Configuration(responseTimeout: .seconds(20), queueTimeout: .seconds(5))

    // pymodbus sends the same at 0, 3, 6 and 9 s, and the device takes 4 s and more.
    @Test func `a request in flight that is sent again is sent to the device once, and answered once`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        for _ in 1...3 {
            trace.pass(.seconds(3))
            #expect(trace.repeated(1) == "")
        }
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.statistics.sent == 1)
        #expect(trace.statistics.requests == 1)
        #expect(trace.statistics.repeated == 3)
    }

    @Test func `a request in flight has its time from when it came again`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.pass(.seconds(3))
        trace.repeated(1)
        #expect(trace.pass(.milliseconds(4999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "fail 1 expired to A")
    }

    @Test func `a request that waits has its time from when it came again, and so has what waits behind it`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .b)
        trace.request(2, from: .a)
        trace.request(3, from: .a)
        trace.request(4, from: .c)
        trace.pass(.seconds(3))
        #expect(trace.repeated(2) == "")
        #expect(trace.pass(.seconds(2)) == "fail 1 expired to B, fail 4 expired to C")
        #expect(trace.pass(.milliseconds(2999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "fail 2 expired to A, fail 3 expired to A")
    }

    @Test func `a request that waits keeps its place`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .b)
        trace.request(2, from: .a)
        trace.request(3, from: .c)
        trace.repeated(2)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to B")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to A")
    }

    @Test func `the device has no more time because its answer is asked for again`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(20)))
        trace.request(1, from: .a)
        trace.pass(.seconds(3))
        trace.repeated(1)
        #expect(trace.pass(.seconds(2)) == "fail 1 unanswered to A")
    }

    @Test func `who shares an answer and asks again has more time, the others have not`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.response(1)
        #expect(trace.reports == "3 shares with 2")
        trace.pass(.seconds(3))
        trace.repeated(3)
        #expect(trace.pass(.seconds(2)) == "fail 2 expired to B")
        #expect(trace.pass(.milliseconds(2999)) == "")
        #expect(trace.response(2) == "respond 3 to C")
    }

    @Test func `a read that is sent once more keeps the time that it has from being asked again`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .a)
        trace.pass(.seconds(3))
        trace.repeated(2)
        trace.closed(1)
        trace.connected(2)
        #expect(trace.pass(.milliseconds(4999)) == "")
        #expect(trace.pass(.milliseconds(1)) == "fail 2 expired to A")
    }

    @Test func `what is over and asked again changes nothing`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(1)
        #expect(trace.repeated(1) == "")
        #expect(trace.repeated(99) == "")
        #expect(trace.pass(.seconds(60)) == "")
    }
}
