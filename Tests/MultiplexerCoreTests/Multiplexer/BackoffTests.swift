import Testing

@testable import MultiplexerCore

@Suite struct BackoffTests {
    func delays(_ backoff: Backoff, afterFailures failures: Int) -> ClosedRange<Duration> {
        let drawn = (0..<500 as Range<UInt64>).map { seed in
            var generator = SplitMix64(seed: seed)
            return backoff.delay(afterFailures: failures, using: &generator)
        }
        return (drawn.min() ?? .zero)...(drawn.max() ?? .zero)
    }

    @Test(arguments: [
        (1, 800, 1200), (2, 1600, 2400), (3, 3200, 4800), (4, 6400, 9600), (5, 12_800, 19_200), (6, 24_000, 30_000),
        (7, 24_000, 30_000), (1000, 24_000, 30_000),
    ])
    func `the wait doubles up to its cap and is spread by a fifth`(_ failures: Int, _ shortest: Int, _ longest: Int) {
        let delays = delays(Backoff(), afterFailures: failures)
        #expect(delays.lowerBound == .milliseconds(shortest))
        #expect(delays.upperBound == .milliseconds(longest))
    }

    // Trap T18: no tight loop of attempts.
    @Test func `a first wait of nothing still keeps a wait that grows`() {
        let eager = Backoff(initial: .zero, maximum: .seconds(1))
        #expect(delays(eager, afterFailures: 1) == .milliseconds(8)...(.milliseconds(12)))
        #expect(delays(eager, afterFailures: 20).lowerBound == .milliseconds(800))
        #expect(delays(Backoff(initial: .zero, maximum: .zero), afterFailures: 5).lowerBound == .milliseconds(8))
    }

    @Test func `equal seeds give equal waits`() {
        var one = SplitMix64(seed: 7)
        var other = SplitMix64(seed: 7)
        for failures in 1..<20 {
            let backoff = Backoff()
            #expect(
                backoff.delay(afterFailures: failures, using: &one)
                    == backoff.delay(afterFailures: failures, using: &other)
            )
        }
    }

    @Test func `a cap below the first wait is raised to it`() {
        #expect(Backoff(initial: .seconds(3), maximum: .seconds(1)).maximum == .seconds(3))
        #expect(delays(Backoff(initial: .seconds(3), maximum: .seconds(1)), afterFailures: 9).upperBound == .seconds(3))
    }

    @Test func `the generator gives the published sequence`() {
        // The first values for seed 1234567 of the reference implementation (prng.di.unimi.it/splitmix64.c).
        var generator = SplitMix64(seed: 1_234_567)
        let drawn = (0..<3).map { _ in generator.next() }
        #expect(drawn == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }
}
