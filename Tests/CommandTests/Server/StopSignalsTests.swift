import Testing

@testable import tcp_multiplexer

@Suite struct StopSignalsTests {
    private let start = ContinuousClock.now

    @Test func `the first signal drains, a second one stops at once`() {
        var signals = StopSignals()
        #expect(signals.answer(to: .stop, at: start) == .drain)
        #expect(signals.answer(to: .stop, at: start + .milliseconds(250)) == .stopAtOnce)
    }

    @Test func `what a wrapper repeats at once is one signal`() {
        var signals = StopSignals()
        #expect(signals.answer(to: .stop, at: start) == .drain)
        #expect(signals.answer(to: .stop, at: start) == .ignore)
        #expect(signals.answer(to: .stop, at: start + .milliseconds(249)) == .ignore)
        // Counted from the first: repetitions cannot put it off.
        #expect(signals.answer(to: .stop, at: start + .milliseconds(251)) == .stopAtOnce)
    }

    @Test func `a hangup drains, and never stops at once`() {
        var signals = StopSignals()
        #expect(signals.answer(to: .hangUp, at: start) == .drain)
        #expect(signals.answer(to: .hangUp, at: start + .seconds(1)) == .ignore)
        #expect(signals.answer(to: .hangUp, at: start + .seconds(2)) == .ignore)
    }

    @Test func `a hangup during a drain does no harm`() {
        var signals = StopSignals()
        #expect(signals.answer(to: .stop, at: start) == .drain)
        #expect(signals.answer(to: .hangUp, at: start + .seconds(1)) == .ignore)
        #expect(signals.answer(to: .stop, at: start + .seconds(2)) == .stopAtOnce)
    }

    @Test func `a signal behind a hangup is the first one, and does no harm either`() {
        var signals = StopSignals()
        #expect(signals.answer(to: .hangUp, at: start) == .drain)
        #expect(signals.answer(to: .stop, at: start + .seconds(1)) == .ignore)
        #expect(signals.answer(to: .stop, at: start + .milliseconds(1200)) == .ignore)
        #expect(signals.answer(to: .stop, at: start + .seconds(2)) == .stopAtOnce)
    }
}
