import Foundation
import MultiplexerCore
import Testing

/// The real core under thousands of schedules.
///
/// | environment | |
/// |---|---|
/// | `SIMULATION_SEEDS=1000000` | how many schedules; 10,000 unless told |
/// | `SIMULATION_SEED=123` | this schedule alone, with its trace |
@Suite struct SimulationTests {
    private static let slices = 4

    @Test(arguments: 0..<slices)
    func `the promises hold in every schedule`(_ slice: Int) {
        if let seed = Self.environment("SIMULATION_SEED") {
            if slice == 0 { Self.replay(UInt64(seed)) }
            return
        }
        for seed in stride(from: slice, to: Self.environment("SIMULATION_SEEDS") ?? 10_000, by: Self.slices) {
            var simulation = Simulation(seed: UInt64(seed))
            do {
                try simulation.run()
            } catch {
                Issue.record(Comment(rawValue: Self.story(of: UInt64(seed))))
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
            \.responses, \.unreachable, \.unanswered, \.expired, \.drained, \.abandoned, \.strays, \.broadcasts,
        ]
        for end in ends { #expect(seen.count { $0[keyPath: end] > 0 } > 25, "\(end)") }
        #expect(seen.allSatisfy { $0.requests > 0 && $0.requests == $0.ended })
    }

    @Test func `a seed gives the same schedule each time`() throws {
        for seed in 0..<20 as Range<UInt64> {
            var one = Simulation(seed: seed, isRecording: true)
            var other = Simulation(seed: seed, isRecording: true)
            try one.run()
            try other.run()
            #expect(one.trace == other.trace)
            #expect(one.trace.count >= 5)
        }
    }

    private static func replay(_ seed: UInt64) {
        var simulation = Simulation(seed: seed, isRecording: true)
        do {
            try simulation.run()
            print(simulation.trace.joined(separator: "\n"))
        } catch {
            Issue.record(Comment(rawValue: story(of: seed)))
        }
    }

    /// What led to the violation, for people.
    private static func story(of seed: UInt64) -> String {
        var simulation = Simulation(seed: seed, isRecording: true)
        do {
            try simulation.run()
            return "seed \(seed) fails no more: the schedule does not depend on its seed alone"
        } catch {
            return """
                seed \(seed): \(error)
                \(simulation.core.configuration)
                \(simulation.trace.suffix(60).joined(separator: "\n"))
                replay: SIMULATION_SEED=\(seed) swift test --filter SimulationTests
                """
        }
    }

    private static func environment(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
