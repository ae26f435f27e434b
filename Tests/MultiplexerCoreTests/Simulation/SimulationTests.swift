import MultiplexerCore
import Testing

@testable import SimulationModel

/// The real core under thousands of schedules; `make simulate SEEDS=1000000` runs more of them.
@Suite struct SimulationTests {
    private static let slices = 4
    private static let seeds: UInt64 = 10_000

    @Test(arguments: 0..<slices)
    func `the promises hold in every schedule`(_ slice: Int) {
        for seed in stride(from: UInt64(slice), to: Self.seeds, by: Self.slices) {
            var simulation = Simulation(seed: seed)
            do {
                try simulation.run()
            } catch {
                let story = Schedule(seed: seed)?.shrunk().description ?? error.description
                Issue.record("seed \(seed): \(story)\nAll of it: make simulate SEED=\(seed)")
                return
            }
        }
    }

    @Test func `the readers find what was sent in every stream`() {
        for seed in 0..<Self.seeds {
            var streams = Streams(seed: seed)
            do {
                try streams.run()
            } catch {
                Issue.record("seed \(seed): \(error)\nAll of it: make simulate SEED=\(seed)")
                return
            }
        }
    }

    // Schedules in which nothing goes wrong would show nothing.
    @Test func `schedules reach every end of a request`() throws {
        let seen = try (0..<500 as Range<UInt64>).map { seed in
            var simulation = Simulation(seed: seed)
            try simulation.run()
            return simulation.core.statistics
        }
        let ends: [KeyPath<Multiplexer.Statistics, Int>] = [
            \.responses, \.unreachable, \.unanswered, \.expired, \.drained, \.abandoned, \.strays, \.broadcasts, \.late,
            \.sentAgain, \.shared, \.cached,
        ]
        for end in ends { #expect(seen.count { $0[keyPath: end] > 0 } > 25, "\(end)") }
        #expect(seen.allSatisfy { $0.requests > 0 && $0.requests == $0.ended })
    }

    // What is never reported is never tried.
    @Test func `schedules reach every report`() throws {
        let reports = [
            "ready", "backing off", "lost with", "connect timed out", "timed out", "after silence", "after stray",
            "closed unused", "closed early", "closing idle", "renewing", "again", "answers again", "stray",
            "late", "competitor", "unsolicited", "broadcast answered", "last response", "damaged", "drained",
            "shares with", "keep in",
        ]
        var missing = Set(reports)
        for seed in 0..<300 as Range<UInt64> where !missing.isEmpty {
            var simulation = Simulation(seed: seed, isRecording: true)
            try simulation.run()
            let trace = simulation.core.trace?.joined() ?? ""
            missing = missing.filter { !trace.contains($0) }
        }
        #expect(missing.isEmpty)
    }

    @Test func `a seed gives the same schedule each time`() throws {
        for seed in 0..<20 as Range<UInt64> {
            var one = Simulation(seed: seed, isRecording: true)
            var other = Simulation(seed: seed, isRecording: true)
            try one.run()
            try other.run()
            #expect(one.core.trace == other.core.trace)
            #expect(one.stimuli.count >= 5)
        }
    }
}
