import MultiplexerCore
import Testing

@Suite struct WritePriorityTests {
    private static let configuration = Multiplexer.Configuration(sendsWritesFirst: true)

    @Test func `a write goes before the reads of others`() {
        var trace = Trace.ready(Self.configuration)
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.write(3, from: .c)
        #expect(trace.response(1) == "send 3 as 2, respond 1 to A")
        #expect(trace.written(2) == "send 2 as 3, respond 3 to C")
    }

    @Test func `a write waits for its turn unless asked otherwise`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.write(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
    }

    @Test func `a write does not go before an earlier read of its client`() {
        var trace = Trace.ready(Self.configuration)
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.write(3, from: .b)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
    }

    @Test func `writes and reads take turns while both wait`() {
        var trace = Trace.ready(Self.configuration)
        trace.write(1, from: .a)
        for id in [2, 3] as [UInt32] { trace.write(id, from: .a) }
        trace.read(11, from: .b, 1)
        trace.read(12, from: .b, 2)
        trace.write(21, from: .c)
        #expect(trace.written(1) == "send 11 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 2 as 3, respond 11 to B")
        #expect(trace.written(3) == "send 12 as 4, respond 2 to A")
        #expect(trace.response(4) == "send 21 as 5, respond 12 to B")
        #expect(trace.written(5) == "send 3 as 6, respond 21 to C")
    }

    @Test func `a client that reads and writes has no two turns while another waits`() {
        var trace = Trace.ready(Self.configuration)
        trace.write(1, from: .a)
        trace.read(2, from: .a, 2)
        trace.write(3, from: .a)
        trace.read(4, from: .b)
        #expect(trace.written(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 4 as 3, respond 2 to A")
        #expect(trace.response(3) == "send 3 as 4, respond 4 to B")
    }

    @Test func `a write of another goes before the read of a client that has just written`() {
        var trace = Trace.ready(Self.configuration)
        trace.request(1, from: .a)
        trace.write(2, from: .a)
        trace.read(3, from: .a)
        trace.write(4, from: .b)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.written(2) == "send 4 as 3, respond 2 to A")
        #expect(trace.written(3) == "send 3 as 4, respond 4 to B")
    }

    @Test func `a write that did not leave goes before other writes`() {
        var trace = Trace.ready(Self.configuration)
        trace.request(1, from: .a)
        trace.response(1)
        trace.write(2, from: .a)
        trace.write(3, from: .b)
        trace.read(4, from: .c)
        trace.unsent(2)
        trace.closed(1)
        #expect(trace.connected(2) == "send 4 as 3")
        #expect(trace.response(3, on: 2) == "send 2 as 4, respond 4 to C")
        #expect(trace.response(4, on: 2, 0x0106) == "send 3 as 5, respond 2 to A")
    }
}
