import MultiplexerCore
import Testing

@Suite struct CachedResponsesTests {
    private static let configuration = Multiplexer.Configuration(
        inFlightLimit: 4,
        maximumResponseAge: .milliseconds(500)
    )

    /// The response to request 1 of A has just been kept.
    private func kept(_ configuration: Multiplexer.Configuration = configuration) -> Trace {
        var trace = Trace.ready(configuration)
        trace.read(1, from: .a)
        #expect(trace.response(1) == "keep in 0, respond 1 to A")
        return trace
    }

    @Test func `an equal read gets the response that is kept, with its age`() {
        var trace = kept()
        trace.pass(.milliseconds(100))
        #expect(trace.read(2, from: .b) == "respond 2 from 0, 0.1s old, to B")
        trace.pass(.milliseconds(300))
        #expect(trace.read(3, from: .a) == "respond 3 from 0, 0.4s old, to A")
        #expect(trace.read(4, from: .a, 2) == "send 4 as 2")
        #expect(trace.statistics.sent == 2)
        #expect(trace.statistics.responses == 3)
        #expect(trace.statistics.cached == 2)
        #expect(trace.statistics.greatestAge == .milliseconds(400))
    }

    @Test func `a response is given up to its maximum age and not longer`() {
        var trace = kept()
        trace.pass(.milliseconds(500))
        #expect(trace.read(2, from: .b) == "respond 2 from 0, 0.5s old, to B")
        trace.pass(.nanoseconds(1))
        #expect(trace.read(3, from: .b) == "send 3 as 2")
        #expect(trace.response(2) == "keep in 0, respond 3 to B")
        #expect(trace.read(4, from: .b) == "respond 4 from 0, 0.0s old, to B")
    }

    @Test func `nothing is kept without a maximum age, or where nothing is shared`() {
        for configuration in [.init(), .init(sharesReads: false, maximumResponseAge: .seconds(1))]
            as [Multiplexer.Configuration]
        {
            var trace = Trace.ready(configuration)
            trace.read(1, from: .a)
            #expect(trace.response(1) == "respond 1 to A")
            #expect(trace.read(2, from: .a) == "send 2 as 2")
        }
    }

    @Test func `a failure is not kept`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .a)
        #expect(trace.failure(1) == "respond 1 to A")
        #expect(trace.read(2, from: .b) == "send 2 as 2")
    }

    // From when it came on, whether it has been sent or not.
    @Test(arguments: [1, nil] as [UInt8?])
    func `a response is not given after a write to its unit or to all units`(_ unit: UInt8?) {
        var trace = kept()
        #expect(trace.write(2, from: .b, unit: unit) == "send 2 as 2")
        #expect(trace.read(3, from: .c) == "send 3 as 3")
        #expect(trace.written(2) == "respond 2 to B")
        #expect(trace.read(4, from: .a) == "send 4 as 4")
    }

    @Test func `a response outlasts a write to another unit`() {
        var trace = kept()
        trace.write(2, from: .b, unit: 2)
        #expect(trace.read(3, from: .c) == "respond 3 from 0, 0.0s old, to C")
    }

    @Test func `a response that may concern all units outlasts no write`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .a, unit: nil)
        #expect(trace.response(1) == "keep in 0, respond 1 to A")
        trace.write(2, from: .b, unit: 2)
        #expect(trace.read(3, from: .c, unit: nil) == "send 3 as 3")
    }

    // Trap T27: the value of before a write would be kept after it.
    @Test func `a response is not kept if a write ended since its request was sent`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .a)
        trace.write(2, from: .b, unit: 1)
        #expect(trace.written(2) == "respond 2 to B")
        #expect(trace.response(1) == "respond 1 to A")
        #expect(trace.read(3, from: .c) == "send 3 as 3")
    }

    @Test func `a response is not kept if a write was in flight when its request was sent`() {
        var trace = Trace.ready(Self.configuration)
        trace.write(1, from: .b, unit: 1)
        trace.read(2, from: .a)
        #expect(trace.written(1) == "respond 1 to B")
        #expect(trace.response(2) == "respond 2 to A")
    }

    @Test func `a response is not kept if a write waits`() {
        var trace = Trace.ready(.init(maximumResponseAge: .milliseconds(500)))
        trace.read(1, from: .a)
        trace.write(2, from: .b, unit: 1)
        #expect(trace.response(1) == "respond 1 to A, send 2 as 2")
    }

    // The device may have written just before it answered, and long after we gave up.
    @Test func `no response outlasts one that comes late`() {
        var trace = Trace.ready(.init(maximumResponseAge: .seconds(10), responseTimeout: .seconds(1)))
        trace.write(1, from: .a, unit: 1)
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A")
        trace.read(2, from: .b)
        #expect(trace.response(2) == "keep in 0, respond 2 to B")
        trace.written(1)
        #expect(trace.reports == "late 1/262")
        #expect(trace.read(3, from: .c) == "send 3 as 3")
    }

    @Test func `a read joins an equal one in flight`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .a)
        #expect(trace.read(2, from: .b) == "")
        #expect(trace.reports == "2 shares with 1")
        #expect(trace.response(1) == "keep in 0, respond 1 to A, respond 2 to B")
    }

    @Test func `who joins a read in flight expires by its own deadline`() {
        var trace = Trace.ready(
            .init(maximumResponseAge: .seconds(1), responseTimeout: .seconds(20), queueTimeout: .seconds(10))
        )
        trace.read(1, from: .a)
        trace.pass(.seconds(5))
        trace.read(2, from: .b)
        #expect(trace.pass(.seconds(5)) == "fail 1 expired to A")
        #expect(trace.pass(.seconds(5)) == "fail 2 expired to B")
    }

    // Trap T28: it would get the value of before the write.
    @Test func `a read does not join one that was sent before a write`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .a)
        trace.write(2, from: .b, unit: 1)
        #expect(trace.read(3, from: .c) == "send 3 as 3")
    }

    @Test func `a client does not get a value from before its own write`() {
        var trace = kept()
        trace.write(2, from: .a, unit: 1)
        #expect(trace.read(3, from: .a) == "send 3 as 3")
    }

    @Test func `a read waits behind what its client asked before`() {
        var trace = Trace.ready(.init(maximumResponseAge: .milliseconds(500)))
        trace.read(1, from: .a)
        trace.response(1)
        trace.request(2, from: .b)
        trace.request(3, from: .a)
        #expect(trace.read(4, from: .a) == "")
        #expect(trace.response(2) == "respond 2 to B, send 3 as 3")
        #expect(trace.response(3) == "respond 3 to A, respond 4 from 0, 0.0s old, to A")
    }

    // Whoever counts on the order of answers would take one for the other.
    @Test func `no answer that is kept overtakes what its client asked before`() {
        var trace = kept()
        trace.request(2, from: .a)
        #expect(trace.read(3, from: .a) == "send 3 as 3")
        #expect(trace.read(4, from: .b) == "respond 4 from 0, 0.0s old, to B")
        #expect(trace.response(2) == "respond 2 to A")
        #expect(trace.response(3) == "keep in 0, respond 3 to A")
        #expect(trace.read(5, from: .a) == "respond 5 from 0, 0.0s old, to A")
    }

    @Test func `a read joins none in flight while its client waits for something else`() {
        var trace = Trace.ready(Self.configuration)
        trace.read(1, from: .b, 1)
        trace.read(2, from: .a, 2)
        #expect(trace.read(3, from: .a, 1) == "send 3 as 3")
        #expect(trace.read(4, from: .c, 1) == "")
        #expect(trace.reports == "4 shares with 1")
    }

    @Test func `a response that is kept is given while the device cannot be reached`() {
        var configuration = Self.configuration
        configuration.maximumResponseAge = .seconds(5)
        var trace = kept(configuration)
        trace.closed(1)
        trace.pass(.seconds(1))
        trace.closed(2)
        #expect(trace.reports.hasPrefix("backing off"))
        #expect(trace.read(2, from: .b) == "respond 2 from 0, 1.0s old, to B")
        #expect(trace.read(3, from: .b, 2) == "fail 3 unreachable to B")
    }

    @Test func `lost reads keep the order in which they came and expire in it`() {
        var trace = Trace.ready(
            .init(
                inFlightLimit: 4,
                maximumResponseAge: .seconds(1),
                responseTimeout: .seconds(20),
                queueTimeout: .seconds(10)
            )
        )
        trace.read(1, from: .b, 1)
        trace.pass(.seconds(1))
        trace.read(2, from: .a, 1)
        #expect(trace.reports == "2 shares with 1")
        trace.read(3, from: .a, 2)
        trace.closed(1)
        #expect(trace.reports == "lost with 2 unanswered, again 3, again 2, again 1")
        #expect(trace.connected(2) == "send 1 as 3, send 3 as 4")
        #expect(trace.reports == "ready 2, 2 shares with 1")
        #expect(trace.pass(.seconds(9)) == "fail 1 expired to B")
        #expect(trace.pass(.seconds(1)) == "fail 2 expired to A, fail 3 expired to A")
    }
}
