import MultiplexerCore
import Testing

@testable import SimulationModel

/// What the core asks of the clock.
@Suite struct DeadlineTests {
    func deadlines(_ trace: Trace) -> [String] {
        trace.everything.compactMap { if case .setDeadline(let time) = $0 { time.text } else { nil } }
    }

    @Test func `the earliest due time is asked for`() {
        var trace = Trace(.init(queueTimeout: .seconds(4), connectTimeout: .seconds(5)))
        trace.join(.a)
        #expect(deadlines(trace) == [])
        trace.request(1, from: .a)
        #expect(deadlines(trace) == ["4.0s"])
    }

    // So a deadline costs nothing while requests are answered.
    @Test func `a later due time asks for nothing until the visit`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(2), connectTimeout: .seconds(5)), clients: .a)
        trace.request(1, from: .a)
        #expect(trace.deadline == .seconds(2))
        trace.response(1)
        trace.pass(.seconds(1))
        trace.request(2, from: .a)
        #expect(deadlines(trace) == [])
        #expect(trace.deadline == .seconds(2))
        trace.pass(.seconds(1))
        #expect(deadlines(trace) == ["3.0s"])
        #expect(trace.pass(.seconds(1)) == "fail 2 unanswered to A")
    }

    @Test func `a visit that finds nothing due and nothing to come asks for no other`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(2)), clients: .a)
        trace.request(1, from: .a)
        trace.response(1)
        #expect(trace.deadline == .seconds(2))
        trace.pass(.seconds(2))
        #expect(trace.deadline == nil)
    }

    @Test func `a visit before its time does no harm`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(2)), clients: .a)
        trace.request(1, from: .a)
        trace.stall(.seconds(1))
        #expect(trace.visit() == "")
        #expect(trace.deadline == .seconds(2))
        #expect(trace.pass(.seconds(1)) == "fail 1 unanswered to A")
    }

    @Test func `a visit that comes late finds all that is due`() {
        var trace = Trace.ready(
            .init(inFlightLimit: 2, responseTimeout: .seconds(2), queueTimeout: .seconds(3)),
            clients: .a,
            .b
        )
        trace.request(1, from: .a)
        trace.stall(.seconds(1))
        trace.request(2, from: .b)
        trace.request(3, from: .b)
        trace.stall(.seconds(10))
        #expect(
            trace.visit()
                == "fail 1 unanswered to A, fail 2 unanswered to B, disconnect 1, fail 3 unreachable to B"
        )
    }

    @Test func `a drain asks for its own`() {
        var trace = Trace.ready(.init(responseTimeout: .seconds(9), drainTimeout: .seconds(3)), clients: .a)
        trace.pass(.seconds(5))
        trace.request(1, from: .a)
        trace.drain()
        #expect(deadlines(trace) == ["8.0s"])
        #expect(trace.pass(.seconds(3)).hasPrefix("fail 1 connectionLost to A"))
    }
}
