import MultiplexerCore
import Testing

/// Requests that the device does not answer (trap T32).
@Suite struct BroadcastTests {
    let configuration = Multiplexer.Configuration(
        carriesTransactionIDs: false,
        responseTimeout: .seconds(1),
        broadcastDelay: .milliseconds(100)
    )

    @Test func `a broadcast is over after its delay and stalls nobody`() {
        var trace = Trace.ready(configuration)
        #expect(trace.broadcast(1, from: .a) == "send 1 as 0")
        #expect(trace.request(2, from: .b) == "")
        #expect(trace.pass(.milliseconds(99)) == "")
        #expect(trace.pass(.milliseconds(1)) == "complete 1 to A, send 2 as 0")
        #expect(trace.response(0) == "respond 2 to B")
        #expect(trace.statistics.broadcasts == 1)
        #expect(trace.statistics.unanswered == 0)
    }

    @Test func `broadcasts do not make a device look silent`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1), broadcastDelay: .milliseconds(100)))
        for id in 1...4 as ClosedRange<UInt32> {
            #expect(trace.broadcast(id, from: .a) == "send \(id) as \(id)")
            #expect(trace.pass(.milliseconds(100)) == "complete \(id) to A")
        }
        #expect(trace.request(5, from: .a) == "send 5 as 5")
    }

    // Unit and function tell what it answers, so nothing else is in doubt, and the device is well.
    @Test func `the answer to a broadcast is dropped`() {
        var trace = Trace.ready(configuration)
        trace.broadcast(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.response(0, 0x0006) == "")
        #expect(trace.reports == "broadcast answered")
        #expect(trace.pass(.milliseconds(100)) == "complete 1 to A, send 2 as 0")
        // Later it could be the answer to something else.
        #expect(trace.response(0, 0x0006) == "fail 2 connectionLost to B, disconnect 1")
    }

    @Test func `a device that closes after broadcasts alone is not taken for one that fails`() {
        var trace = Trace.ready(configuration)
        trace.broadcast(1, from: .a)
        trace.pass(.milliseconds(100))
        #expect(trace.closed(1) == "")
        #expect(trace.request(2, from: .b) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 0")
    }

    @Test func `a broadcast that cannot be sent ends without a word`() {
        var trace = Trace(configuration)
        trace.join(.a)
        trace.broadcast(1, from: .a)
        #expect(trace.closed(1) == "complete 1 to A")
        #expect(trace.broadcast(2, from: .a) == "complete 2 to A")
    }

    @Test func `a broadcast whose client left is sent if it was, and forgotten`() {
        var trace = Trace.ready(configuration)
        trace.broadcast(1, from: .a)
        trace.broadcast(2, from: .a)
        #expect(trace.leave(.a) == "discard 2, discard 1")
        #expect(trace.pass(.seconds(1)) == "")
        #expect(trace.request(3, from: .b) == "send 3 as 0")
    }
}
