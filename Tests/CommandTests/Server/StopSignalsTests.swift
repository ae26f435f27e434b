import Testing

@testable import tcp_multiplexer

@Suite struct StopSignalsTests {
    private let start = ContinuousClock.now

    @Test func `the first signal drains, a second one stops at once`() {
        var signals = StopSignals()
        #expect(signals.answer(at: start) == .drain)
        #expect(signals.answer(at: start + .milliseconds(250)) == .stopAtOnce)
    }

    @Test func `what a wrapper repeats at once is one signal`() {
        var signals = StopSignals()
        #expect(signals.answer(at: start) == .drain)
        #expect(signals.answer(at: start) == .ignore)
        #expect(signals.answer(at: start + .milliseconds(249)) == .ignore)
        // Counted from the first: repetitions cannot put it off.
        #expect(signals.answer(at: start + .milliseconds(251)) == .stopAtOnce)
    }
}
