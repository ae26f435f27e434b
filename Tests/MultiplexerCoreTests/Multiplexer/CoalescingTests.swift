import MultiplexerCore
import Testing

@Suite struct CoalescingTests {
    /// Request 1 of A is in flight.
    private func busy(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = Trace.ready(configuration, clients: .a, .b, .c, .d)
        trace.request(1, from: .a)
        return trace
    }

    /// Request 2 of B is in flight as 2, request 3 of C shares its answer.
    private func shared(_ configuration: Multiplexer.Configuration = .init()) -> Trace {
        var trace = busy(configuration)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.response(1)
        return trace
    }

    @Test func `equal reads that wait are answered by one`() {
        var trace = busy()
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.reports == "3 shares with 2")
        #expect(trace.response(2) == "respond 2 to B, respond 3 to C")
        #expect(trace.statistics.sent == 2)
        #expect(trace.statistics.responses == 3)
        #expect(trace.statistics.shared == 1)
    }

    // Its value could be older than the request.
    @Test func `a read does not join an equal one in flight`() {
        var trace = Trace.ready()
        trace.read(1, from: .a)
        #expect(trace.read(2, from: .b) == "")
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.statistics.shared == 0)
    }

    @Test func `reads of other ranges or units do not share`() {
        var trace = busy()
        trace.read(2, from: .b, 1)
        trace.read(3, from: .c, 2)
        trace.read(4, from: .d, 1, unit: 2)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.response(3) == "send 4 as 4, respond 3 to C")
    }

    @Test func `requests that are no such reads do not share`() {
        var trace = busy()
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
    }

    // A broadcast has no answer to share.
    @Test func `a read that the device does not answer does not share`() {
        var trace = busy()
        trace.read(2, from: .b)
        let silent = Request(
            correlation: Correlation(rawValue: 0x0103),
            mayWrite: false,
            expectsResponse: false,
            unit: 1,
            read: Request.read().read
        )
        trace.ask(3, silent, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
    }

    // Trap T28: a write stands between the reads before and behind it.
    @Test(arguments: [1, nil] as [UInt8?])
    func `reads with a write to their unit or to all units between them do not share`(_ unit: UInt8?) {
        var trace = busy()
        trace.read(2, from: .b)
        trace.write(3, from: .c, unit: unit)
        trace.read(4, from: .d)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.written(3) == "send 4 as 4, respond 3 to C")
    }

    @Test func `a write to another unit stands between nothing`() {
        var trace = busy()
        trace.read(2, from: .b)
        trace.write(3, from: .c, unit: 2)
        trace.read(4, from: .d)
        trace.response(1)
        #expect(trace.reports == "4 shares with 2")
    }

    @Test func `any write stands between reads that may concern all units`() {
        var trace = busy()
        trace.read(2, from: .b, unit: nil)
        trace.write(3, from: .c, unit: 2)
        trace.read(4, from: .d, unit: nil)
        trace.response(1)
        #expect(trace.reports == "")
    }

    // A read before the write's answer may have come before the write or behind it.
    @Test func `a write that is sent or ends between two reads stands between them, too`() {
        var trace = Trace.ready(.init(inFlightLimit: 2), clients: .a, .b, .c, .d)
        trace.request(1, from: .a)
        trace.write(2, from: .b, unit: 1)
        trace.read(3, from: .c)
        #expect(trace.written(2) == "send 3 as 3, respond 2 to B")
        trace.read(4, from: .c)
        trace.write(5, from: .b, unit: 1)
        trace.read(6, from: .d)
        #expect(trace.response(1) == "send 4 as 4, respond 1 to A")
        #expect(trace.response(3) == "send 5 as 5, respond 3 to C")
        trace.read(7, from: .a)
        #expect(trace.response(4) == "send 6 as 6, respond 4 to C")
        #expect(trace.written(5) == "send 7 as 7, respond 5 to B")
    }

    @Test func `equal reads in a row of one client share as well`() {
        var trace = busy()
        for id in [2, 3] as [UInt32] { trace.read(id, from: .b) }
        for id in [4, 5] as [UInt32] { trace.read(id, from: .c) }
        trace.response(1)
        #expect(trace.reports == "3 shares with 2, 4 shares with 2, 5 shares with 2")
        #expect(trace.response(2) == "respond 2 to B, respond 3 to B, respond 4 to C, respond 5 to C")
    }

    @Test func `a read behind another request of its client does not share`() {
        var trace = busy()
        trace.read(2, from: .b)
        trace.read(3, from: .c, 2)
        trace.read(4, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.reports == "")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.response(3) == "send 4 as 4, respond 3 to C")
    }

    @Test func `a client that is paused is read again when its requests share`() {
        var trace = busy(.init(waitingLimit: 2))
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        #expect(trace.read(4, from: .c) == "pause C")
        #expect(trace.response(1) == "send 2 as 2, resume C, respond 1 to A")
    }

    @Test func `a failure that the device tells is shared`() {
        var trace = shared()
        #expect(trace.failure(2) == "respond 2 to B, respond 3 to C")
    }

    @Test func `all who share fail if the device does not answer`() {
        var trace = shared()
        #expect(trace.pass(.seconds(5)) == "fail 2 unanswered to B, fail 3 unanswered to C")
        #expect(trace.statistics.unanswered == 2)
    }

    @Test func `each who shares keeps its own deadline`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(20), queueTimeout: .seconds(10)))
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.pass(.seconds(5))
        trace.read(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.pass(.seconds(5)) == "fail 2 expired to B")
        #expect(trace.pass(.seconds(4)) == "")
        #expect(trace.response(2) == "respond 3 to C")
    }

    @Test func `a read whose time is over shares nothing`() {
        var trace = busy(.init(responseTimeout: .seconds(20), queueTimeout: .seconds(10)))
        trace.read(2, from: .b)
        trace.stall(.seconds(5))
        trace.read(3, from: .c)
        trace.stall(.seconds(5))
        #expect(trace.response(1) == "fail 2 expired to B, send 3 as 2, respond 1 to A")
    }

    @Test func `others get the answer when the client leaves whose read was sent`() {
        var trace = shared()
        #expect(trace.leave(.b) == "discard 2")
        #expect(trace.response(2) == "respond 3 to C")
        #expect(trace.statistics.shared == 0)
        #expect(trace.statistics.abandoned == 1)
    }

    @Test func `whoever shares and leaves gets nothing`() {
        var trace = shared()
        #expect(trace.leave(.c) == "discard 3")
        #expect(trace.response(2) == "respond 2 to B")
    }

    @Test func `an answer that all have left is swallowed`() {
        var trace = shared()
        trace.leave(.b)
        trace.leave(.c)
        #expect(trace.response(2) == "")
        #expect(trace.statistics.strays == 0)
    }

    @Test func `a lost read is sent once more for all who share it`() {
        var trace = shared()
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.reports == "lost with 1 unanswered, again 3, again 2")
        #expect(trace.connected(2) == "send 2 as 3")
        #expect(trace.reports == "ready 2, 3 shares with 2")
        #expect(trace.response(3, on: 2) == "respond 2 to B, respond 3 to C")
        #expect(trace.statistics.sentAgain == 2)
    }

    @Test func `a read that was lost twice fails for those who had it twice`() {
        var trace = shared()
        trace.closed(1)
        trace.read(4, from: .d)
        trace.connected(2)
        #expect(trace.reports == "ready 2, 3 shares with 2, 4 shares with 2")
        #expect(trace.closed(2) == "fail 2 connectionLost to B, fail 3 connectionLost to C, connect 3")
        #expect(trace.reports == "lost with 1 unanswered, again 4")
    }

    @Test func `nothing is shared where that is turned off`() {
        var trace = busy(.init(sharesReads: false))
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        #expect(trace.response(1) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.statistics.shared == 0)
    }

    @Test func `more than 4096 who ask the same wait for the next answer`() {
        var trace = Trace.ready()
        trace.request(0, from: .a)
        for id in 1...5000 as ClosedRange<UInt32> {
            let client = ClientID(rawValue: UInt64(id) + 100)
            trace.join(client)
            trace.read(id, from: client)
        }
        trace.response(1)
        trace.response(2)
        #expect(trace.statistics.responses == 1 + 4096)
        trace.pass(.milliseconds(2))
        trace.response(3)
        #expect(trace.statistics.responses == 1 + 5000)
        #expect(trace.statistics.sent == 3)
    }
}
