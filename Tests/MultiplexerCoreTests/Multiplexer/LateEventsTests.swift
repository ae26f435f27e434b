import MultiplexerCore
import Testing

/// Late events of an old connection.
@Suite struct LateEventsTests {
    /// Connection 2 stands, request 2 of A is in flight on it, request 3 of B waits.
    func afterReconnect(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(configuration.carriesTransactionIDs ? 1 : 0)
        trace.closed(1)
        trace.connected(2)
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        return trace
    }

    @Test func `the end of the old connection does not end the new one`() {
        var trace = afterReconnect()
        #expect(trace.closed(1) == "")
        #expect(trace.response(2, on: 2) == "send 3 as 3, respond 2 to A")
    }

    @Test(arguments: [true, false])
    func `a response on the old connection answers nothing`(_ carriesTransactionIDs: Bool) {
        var trace = afterReconnect(.init(carriesTransactionIDs: carriesTransactionIDs))
        #expect(trace.response(carriesTransactionIDs ? 2 : 0, on: 1) == "")
        #expect(trace.statistics.strays == 1)
        #expect(trace.response(carriesTransactionIDs ? 2 : 0, on: 2).hasSuffix("respond 2 to A"))
    }

    @Test func `the old connection's late success does not make the new one ready`() {
        var trace = Trace(.init(linger: .zero))
        trace.join(.a)
        trace.request(1, from: .a)
        trace.leave(.a)
        trace.closed(1)
        trace.join(.b)
        trace.request(1, from: .b)
        #expect(trace.connected(1) == "")
        #expect(trace.connected(2) == "send 1 as 1")
    }

    @Test func `events of connections that never were touch nothing`() {
        var trace = afterReconnect()
        #expect(trace.closed(99) == "")
        #expect(trace.connected(99) == "")
        #expect(trace.response(2, on: 99) == "")
        #expect(trace.response(2, on: 2) == "send 3 as 3, respond 2 to A")
    }

    @Test func `a response that comes while the connection closes answers nothing`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false, responseTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.pass(.seconds(1))
        trace.request(2, from: .b)
        #expect(trace.response(0) == "")
        #expect(trace.statistics.strays == 1)
    }
}
