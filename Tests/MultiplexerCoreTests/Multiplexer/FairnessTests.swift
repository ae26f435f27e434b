import MultiplexerCore
import Testing

@Suite struct FairnessTests {
    @Test func `clients are served in turn however much each asks`() {
        var trace = Trace.ready()
        for id in 1...4 as ClosedRange<UInt32> { trace.request(id, from: .a) }
        trace.request(11, from: .b)
        trace.request(12, from: .b)
        trace.request(21, from: .c)
        let served = (1...7 as ClosedRange<UInt16>).map { trace.response($0) }
        #expect(
            served == [
                "send 2 as 2, respond 1 to A",
                "send 11 as 3, respond 2 to A",
                "send 21 as 4, respond 11 to B",
                "send 3 as 5, respond 21 to C",
                "send 12 as 6, respond 3 to A",
                "send 4 as 7, respond 12 to B",
                "respond 4 to A",
            ]
        )
    }

    @Test func `a client that asks again at once waits behind the others`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        trace.request(4, from: .a)
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.response(3) == "send 4 as 4, respond 3 to C")
    }

    // One in flight, and one turn of the other; which reads and writes they are makes no difference.
    @Test(
        arguments: [
            .init(waitingLimit: 100),
            .init(inFlightLimit: 4, waitingLimit: 100),
            .init(waitingLimit: 100, sharesReads: false),
            .init(waitingLimit: 100, sendsWritesFirst: true),
            .init(inFlightLimit: 4, waitingLimit: 100, sendsWritesFirst: true),
        ] as [Multiplexer.Configuration],
        [[false], [true], [false, true], [false, false, true], [true, true, false]]
    )
    func `a client with 64 requests delays one with a single request by two at most`(
        _ configuration: Multiplexer.Configuration,
        _ writes: [Bool]
    ) {
        for (sent, mayWrite) in [(1, false), (1, true), (2, false), (2, true), (9, false), (9, true)] {
            var trace = Trace.ready(configuration)
            func request(_ range: UInt8, mayWrite: Bool) -> Request {
                mayWrite ? Request(correlation: Request.read().correlation, mayWrite: true, unit: 1) : .read(range)
            }
            for id in 0..<64 as Range<UInt32> {
                trace.ask(id, request(UInt8(id), mayWrite: writes[Int(id) % writes.count]), from: .a)
            }
            for answered in 1..<sent { trace.response(UInt16(answered)) }
            var story = trace.ask(64, request(200, mayWrite: mayWrite), from: .b)
            for answered in sent..<sent + 2 { story += trace.response(UInt16(answered)) }
            #expect(story.contains("send 64 as"), "\(story)")
        }
    }

    @Test func `who shares an answer has had a turn`() {
        var trace = Trace.ready(clients: .a, .b, .c, .d)
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.request(4, from: .c)
        trace.request(5, from: .d)
        trace.response(1)
        #expect(trace.reports == "3 shares with 2")
        #expect(trace.response(2) == "send 5 as 3, respond 2 to B, respond 3 to C")
        #expect(trace.response(3) == "send 4 as 4, respond 5 to D")
    }

    @Test func `requests of one client are sent in their order`() {
        var trace = Trace(.init(inFlightLimit: 16))
        trace.join(.a)
        for id in [5, 3, 9, 1] as [UInt32] { trace.request(id, from: .a) }
        #expect(trace.connected(1) == "send 5 as 1, send 3 as 2, send 9 as 3, send 1 as 4")
    }

    @Test func `no more are in flight than the device takes`() {
        var trace = Trace(.init(inFlightLimit: 3))
        trace.join(.a)
        trace.join(.b)
        for id in 1...4 as ClosedRange<UInt32> { trace.request(id, from: .a) }
        trace.request(5, from: .b)
        #expect(trace.connected(1) == "send 1 as 1, send 5 as 2, send 2 as 3")
        #expect(trace.response(2) == "send 3 as 4, respond 5 to B")
    }

    @Test(arguments: [(0, 1), (1, 1), (16, 16), (17, 16), (1000, 16)])
    func `the in-flight limit stays between 1 and 16`(_ asked: Int, _ limit: Int) {
        #expect(Multiplexer.Configuration(inFlightLimit: asked).effectiveInFlightLimit == limit)
        #expect(
            Multiplexer.Configuration(carriesTransactionIDs: false, inFlightLimit: asked).effectiveInFlightLimit == 1
        )
    }

    @Test func `the turn of a client that left goes to the next`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(trace.leave(.b) == "discard 2")
        #expect(trace.response(1) == "send 3 as 2, respond 1 to A")
    }

    @Test func `a client whose requests all expired has one turn when it asks again`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(20), queueTimeout: .seconds(1)))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 1 expired to A, fail 2 expired to B")
        trace.request(3, from: .b)
        trace.request(4, from: .b)
        trace.request(5, from: .c)
        #expect(trace.response(1) == "send 3 as 2")
        #expect(trace.response(2) == "send 5 as 3, respond 3 to B")
        #expect(trace.response(3) == "send 4 as 4, respond 5 to C")
    }
}
