import MultiplexerCore
import Testing

// Behind a serial adapter the line outlasts a connection: the late answer comes on the next one (trap T8).
@Suite struct ListeningTests {
    private let configuration = Multiplexer.Configuration(
        carriesTransactionIDs: false,
        responseTimeout: .seconds(1),
        quietTime: .milliseconds(400)
    )

    /// The device answered A once, then not; request 3 of B waits, connection 2 stands.
    private func silent(_ configuration: Multiplexer.Configuration) -> Trace {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        trace.request(2, from: .a)
        trace.request(3, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A, disconnect 1")
        #expect(trace.closed(1) == "connect 2")
        trace.connected(2)
        return trace
    }

    @Test func `after a silence the next request waits until the line is quiet`() {
        var trace = silent(configuration)
        #expect(trace.pass(.milliseconds(399)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 3 as 0")
        #expect(trace.response(0, on: 2) == "respond 3 to B")
        #expect(trace.request(4, from: .a) == "send 4 as 0")
    }

    @Test func `a late answer on the next connection is nobody's, and the line must be quiet after it`() {
        var trace = silent(configuration)
        trace.pass(.milliseconds(300))
        #expect(trace.response(0, on: 2) == "")
        #expect(trace.reports == "late 0/259")
        #expect(trace.pass(.milliseconds(399)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 3 as 0")
        #expect(trace.response(0, on: 2) == "respond 3 to B")
        #expect(trace.statistics.connects == 1)
    }

    @Test func `damage and noise are heard, too`() {
        var trace = silent(configuration)
        trace.pass(.milliseconds(300))
        #expect(trace.noise(on: 2) == "")
        trace.pass(.milliseconds(300))
        #expect(trace.damaged(on: 2) == "")
        #expect(trace.pass(.milliseconds(399)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 3 as 0")
    }

    @Test func `a line that is never quiet puts the next request off four times as long, not for ever`() {
        var trace = silent(configuration)
        var waited = 0
        while trace.statistics.sent == 2, waited < 30 {
            waited += 1
            trace.noise(on: 2)
            trace.pass(.milliseconds(100))
        }
        #expect(waited == 16)
        #expect(trace.response(0, on: 2) == "respond 3 to B")
    }

    @Test func `the line is listened to once after each silence`() {
        var trace = silent(configuration)
        trace.pass(.milliseconds(400))
        trace.response(0, on: 2)
        #expect(trace.closed(2) == "connect 3")
        trace.connected(3)
        #expect(trace.request(4, from: .a) == "send 4 as 0")
    }

    @Test func `a connection that ends meanwhile is listened to again`() {
        var trace = silent(configuration)
        trace.pass(.milliseconds(200))
        #expect(trace.closed(2) == "")
        #expect(trace.pass(.milliseconds(20)) == "connect 3")
        #expect(trace.connected(3) == "")
        #expect(trace.pass(.milliseconds(399)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 3 as 0")
    }

    @Test(arguments: [nil, .zero] as [Duration?])
    func `without a quiet time nothing is put off`(_ quietTime: Duration?) {
        var configuration = configuration
        configuration.quietTime = quietTime
        var trace = silent(configuration)
        #expect(trace.statistics.sent == 3)
        #expect(trace.response(0, on: 2) == "respond 3 to B")
    }

    // Ids tell a late answer.
    @Test func `with ids nothing is put off`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(1), quietTime: .seconds(1)))
        #expect(trace.multiplexer.configuration.effectiveQuietTime == .zero)
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A, send 2 as 2")
    }

    @Test func `a request of which no byte left leaves nothing to listen for`() {
        var trace = Trace.ready(configuration)
        trace.request(1, from: .a)
        trace.response(0)
        trace.write(2, from: .a)
        trace.unsent(2)
        #expect(trace.closed(1) == "connect 2")
        #expect(trace.connected(2) == "send 2 as 0")
    }

    @Test func `a broadcast leaves nothing to listen for`() {
        var trace = Trace.ready(configuration)
        trace.broadcast(1, from: .a)
        trace.pass(.milliseconds(100))
        #expect(trace.request(2, from: .b) == "send 2 as 0")
    }

    // Nobody knows how many answers it has.
    @Test func `after what goes alone the line must be quiet on the same connection, for 0.1 s at most`() {
        var trace = Trace.ready(configuration)
        trace.ask(1, .alone, from: .a)
        #expect(trace.response(0, 0x0141) == "respond 1 to A")
        #expect(trace.request(2, from: .b) == "")
        trace.pass(.milliseconds(50))
        #expect(trace.response(0) == "")
        #expect(trace.reports == "late 0/259")
        #expect(trace.pass(.milliseconds(99)) == "")
        #expect(trace.pass(.milliseconds(1)) == "send 2 as 0")
        #expect(trace.response(0) == "respond 2 to B")
    }
}

// Nobody knows what such a request does, so nothing that it brings is taken for the answer to another.
@Suite struct AloneRequestsTests {
    @Test func `what goes alone waits until nothing is in flight, and nothing is sent beside it`() {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        trace.request(1, from: .a)
        trace.request(2, from: .b)
        #expect(trace.ask(3, .alone, from: .c) == "")
        #expect(trace.request(4, from: .a) == "")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.response(2) == "send 3 as 3, respond 2 to B")
        #expect(trace.request(5, from: .b) == "")
        #expect(trace.response(3, 0x0141) == "send 4 as 4, send 5 as 5, respond 3 to C")
    }

    // Its second answer has an id of the client's choice, which is none of ours.
    @Test func `what else comes beside its answer is nobody's`() {
        var trace = Trace.ready(.init(inFlightLimit: 4))
        trace.ask(1, .alone, from: .a)
        trace.request(2, from: .b)
        #expect(trace.response(77) == "")
        #expect(trace.response(1, 0x0141) == "send 2 as 2, respond 1 to A")
        #expect(trace.response(78) == "")
        #expect(trace.response(2) == "respond 2 to B")
    }

    // A login belongs to the connection.
    @Test func `its answer costs no connection`() {
        var trace = Trace.ready()
        trace.ask(1, .alone, from: .a)
        trace.response(1, 0x0141)
        #expect(trace.request(2, from: .a) == "send 2 as 2")
        #expect(trace.statistics.connects == 0)
    }
}

extension Request {
    /// A request of which nobody knows what else it holds.
    fileprivate static let alone = Request(correlation: Correlation(rawValue: 0x0141), mayWrite: true, goesAlone: true)
}
