import MultiplexerCore
import Testing

// With ids that cannot be foreseen an answer with ours is the answer, right or damaged.
@Suite struct DamagedResponsesTests {
    static let read = Request(
        correlation: Correlation(rawValue: 0x0103),
        mayWrite: false,
        expectedContent: .values(bytes: 4)
    )
    static let write = Request(
        correlation: Correlation(rawValue: 0x0106),
        mayWrite: true,
        expectedContent: .echo(0x1234)
    )

    private func values(_ number: UInt16, _ bytes: Int, surplus: Int = 0, in trace: Trace) -> Response {
        Response(
            transactionID: trace.id(number),
            correlation: Self.read.correlation,
            content: .values(bytes: bytes),
            surplus: surplus
        )
    }

    // A logger stick shreds unit and function several times an hour.
    @Test(arguments: [0x0203, 0x0104] as [UInt64])
    func `an answer of another unit or function is damaged, and a read is asked once more at once`(_ found: UInt64) {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.response(1, found) == "send 1 as 2")
        #expect(trace.reports == "damaged by \(found) instead of 259, answer to 1, again 1")
        #expect(trace.response(2, found) == "fail 1 connectionLost to A, send 2 as 3")
        #expect(trace.response(3) == "respond 2 to B")
        #expect(trace.statistics.damaged == 2)
        #expect(trace.statistics.connects == 0)
    }

    @Test func `a write whose answer is damaged fails at once, and the connection is kept`() {
        var trace = Trace.ready()
        trace.write(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.response(1, 0x0206) == "fail 1 connectionLost to A, send 2 as 2")
        #expect(trace.response(2) == "respond 2 to B")
    }

    // The right one may come behind the wrong one.
    @Test func `what else comes with the id of a damaged answer is nobody's`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.response(1, 0x0203)
        #expect(trace.response(1) == "")
        #expect(trace.reports == "late 1/259")
        #expect(trace.response(2) == "respond 1 to A")
    }

    @Test func `who shares a read shares its repetition`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.read(2, from: .b)
        trace.read(3, from: .c)
        trace.response(1)
        #expect(trace.response(2, 0x0203) == "send 2 as 3")
        #expect(trace.response(3) == "respond 2 to B, respond 3 to C")
    }

    // A device that always answers so is not asked everything twice.
    @Test func `after three damaged answers in a row a read is not asked once more`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        #expect(trace.response(1, 0x0203) == "send 1 as 2")
        #expect(trace.response(2, 0x0203) == "fail 1 connectionLost to A")
        trace.request(2, from: .a)
        #expect(trace.response(3, 0x0203) == "fail 2 connectionLost to A")
        trace.request(3, from: .a)
        #expect(trace.response(4) == "respond 3 to A")
        trace.request(4, from: .a)
        #expect(trace.response(5, 0x0203) == "send 4 as 6")
    }

    @Test func `nothing is asked once more in a drain`() {
        var trace = Trace.ready(clients: .a)
        trace.request(1, from: .a)
        trace.drain()
        #expect(trace.response(1, 0x0203) == "fail 1 connectionLost to A, disconnect 1, close A")
    }

    @Test func `a read has no more time because its answer was damaged`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(5), queueTimeout: .seconds(6)))
        trace.request(1, from: .a)
        trace.pass(.seconds(4))
        #expect(trace.response(1, 0x0203) == "send 1 as 2")
        #expect(trace.pass(.seconds(2)) == "fail 1 expired to A")
    }

    // MARK: Content

    @Test func `fewer values than were asked for are damage`() {
        var trace = Trace.ready()
        trace.ask(1, Self.read, from: .a)
        #expect(trace.receive(values(1, 3, in: trace)) == "send 1 as 2")
        #expect(trace.reports == "damaged by 3 bytes instead of 4, answer to 1, again 1")
        #expect(trace.receive(values(2, 4, in: trace)) == "respond 1 to A")
    }

    // Meters answer a quantity of 1 with 4 bytes, and with 12.
    @Test func `more values than were asked for are given on, told once and never kept`() {
        var trace = Trace.ready(.init(maximumResponseAge: .seconds(10)))
        let read = Request(
            correlation: Self.read.correlation,
            mayWrite: false,
            unit: 1,
            read: .init(rawValue: 1),
            expectedContent: .values(bytes: 4)
        )
        trace.ask(1, read, from: .a)
        #expect(trace.receive(values(1, 12, in: trace)) == "respond 1 to A")
        #expect(trace.reports == "12 bytes instead of 4")
        #expect(trace.ask(2, read, from: .b) == "send 2 as 2")
        #expect(trace.receive(values(2, 12, in: trace)) == "respond 2 to B")
        #expect(trace.reports == "")
        trace.ask(3, read, from: .c)
        #expect(trace.receive(values(3, 4, in: trace)) == "keep in 0, respond 3 to C")
    }

    // A cellular gateway adds two bytes within the frame.
    @Test func `bytes behind the content are given on, and never kept`() {
        var trace = Trace.ready(.init(maximumResponseAge: .seconds(10)))
        let read = Request(
            correlation: Self.read.correlation,
            mayWrite: false,
            unit: 1,
            read: .init(rawValue: 1),
            expectedContent: .values(bytes: 4)
        )
        trace.ask(1, read, from: .a)
        #expect(trace.receive(values(1, 4, surplus: 2, in: trace)) == "respond 1 to A")
        #expect(trace.ask(2, read, from: .b) == "send 2 as 2")
    }

    // Its header may have swallowed the answers of others.
    @Test func `bytes behind the content while other answers are awaited cost the connection, and are given to nobody`()
    {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        trace.ask(1, Self.read, from: .a)
        trace.ask(2, Self.read, from: .b)
        trace.ask(3, Self.write, from: .c)
        #expect(
            trace.receive(values(1, 4, surplus: 64, in: trace))
                == "fail 1 connectionLost to A, fail 3 connectionLost to C, disconnect 1"
        )
        #expect(trace.reports == "damaged by a surplus of 64, answer to 1, again 2, replacing 1 after damage")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 4")
    }

    @Test func `reads beside damage that costs the connection are asked again as often as it happens`() {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        for (id, client) in [(1, .a), (2, .b), (3, .c)] as [(UInt32, ClientID)] { trace.request(id, from: client) }
        let cause = ResponseDamage.Cause.length(announced: 71, content: 7)
        #expect(trace.damaged(1, by: cause, isInStep: false) == "fail 1 connectionLost to A, disconnect 1")
        trace.closed(1)
        #expect(trace.connected(2) == "send 2 as 4, send 3 as 5")
        #expect(trace.damaged(4, by: cause, isInStep: false, on: 2) == "fail 2 connectionLost to B, disconnect 2")
        trace.closed(2)
        #expect(trace.connected(3) == "send 3 as 6")
        #expect(trace.response(6, on: 3) == "respond 3 to C")
    }

    @Test func `what is written must be repeated`() {
        var trace = Trace.ready()
        trace.ask(1, Self.write, from: .a)
        var response = Response(
            transactionID: trace.id(1),
            correlation: Self.write.correlation,
            content: .echo(0x1235)
        )
        #expect(trace.receive(response) == "fail 1 connectionLost to A")
        #expect(trace.reports == "damaged by echo, answer to 1")
        trace.ask(2, Self.write, from: .a)
        response.transactionID = trace.id(2)
        response.content = .echo(0x1234)
        #expect(trace.receive(response) == "respond 2 to A")
    }

    @Test func `an exception is right whatever was asked for`() {
        var trace = Trace.ready()
        for (number, request) in [(1, Self.read), (2, Self.write)] as [(UInt16, Request)] {
            trace.ask(UInt32(number), request, from: .a)
            let exception = Response(
                transactionID: trace.id(number),
                correlation: request.correlation,
                isFailure: true
            )
            #expect(trace.receive(exception) == "respond \(number) to A")
        }
    }

    @Test func `an answer that says something else than values is damage where values were asked for`() {
        var trace = Trace.ready()
        trace.ask(1, Self.read, from: .a)
        #expect(trace.response(1) == "send 1 as 2")
        #expect(trace.reports == "damaged by 0 bytes instead of 4, answer to 1, again 1")
    }

    // MARK: Damage that the framing tells

    @Test func `damage in step costs the request it answers, and no other`() {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        trace.write(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.damaged(1, by: .length(announced: 4, content: 5)) == "fail 1 connectionLost to A")
        #expect(trace.response(2) == "respond 2 to B")
    }

    // What costs the others their connection is not asked again; what the others read is, however often that happens.
    @Test func `damage out of step costs its request and the connection, and other reads are asked again`() {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        trace.write(1, from: .a)
        trace.request(2, from: .b)
        trace.request(3, from: .c)
        #expect(
            trace.damaged(2, by: .length(announced: 71, content: 7), isInStep: false)
                == "fail 2 connectionLost to B, fail 1 connectionLost to A, disconnect 1"
        )
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 3 as 4")
    }

    @Test func `damage with the id of nothing in flight is dropped, or costs the connection if it is out of step`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        trace.response(1)
        trace.request(2, from: .b)
        #expect(trace.damaged(77, by: .length(announced: 4, content: 5)) == "")
        #expect(trace.reports == "damaged by length 4 instead of 5")
        #expect(trace.damaged(77, by: .length(announced: 71, content: 7), isInStep: false) == "disconnect 1")
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 3")
    }

    @Test func `damage on a connection that is given up is nobody's`() {
        var trace = Trace.ready()
        trace.request(1, from: .a)
        #expect(trace.damaged(1, by: .checksum, on: 7) == "")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.statistics.damaged == 0)
    }

    // A device that answers at all is well.
    @Test func `a damaged answer is no silence`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1)))
        trace.write(1, from: .a)
        trace.pass(.seconds(1))
        trace.write(2, from: .a)
        trace.response(2, 0x0206)
        trace.write(3, from: .a)
        #expect(trace.pass(.seconds(1)) == "fail 3 unanswered to A")
    }

    // MARK: Noise

    @Test func `noise is counted and changes nothing`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false))
        trace.request(1, from: .a)
        #expect(trace.noise(3) == "")
        #expect(trace.reports == "noise of 3")
        #expect(trace.response(0) == "respond 1 to A")
        #expect(trace.noise(3) == "")
        #expect(trace.request(2, from: .b) == "send 2 as 0")
        #expect(trace.statistics.noise == 6)
    }

    // MARK: Without ids

    @Test func `without ids a damaged answer to a read is asked for once more`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false))
        trace.request(1, from: .a)
        #expect(trace.damaged() == "send 1 as 0")
        #expect(trace.damaged() == "fail 1 connectionLost to A")
        #expect(trace.request(2, from: .a) == "send 2 as 0")
    }

    // Nothing tells whose it is.
    @Test func `without ids an answer with other content is no answer`() {
        var trace = Trace.ready(.init(carriesTransactionIDs: false))
        trace.ask(1, Self.read, from: .a)
        let response = Response(correlation: Self.read.correlation, content: .values(bytes: 2))
        #expect(trace.receive(response) == "fail 1 connectionLost to A, disconnect 1")
        #expect(trace.reports == "stray 0/259, replacing 1 after stray")
    }
}
