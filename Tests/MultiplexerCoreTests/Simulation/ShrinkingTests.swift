import MultiplexerCore
import Testing

@testable import SimulationModel

/// A core that is expected to keep other settings than it has breaks its promises.
@Suite struct ShrinkingTests {
    typealias Change = @Sendable (inout Multiplexer.Configuration) -> Void

    private static let changes: [(promise: String, longest: Int, change: Change)] = [
        ("more requests are in flight than the device takes", 5, { $0.inFlightLimit = 1 }),
        ("a request was sent before the gap was over", 7, { $0.minimumGap += .milliseconds(100) }),
        ("a connection was opened before the device had settled", 5, { $0.settleTime += .milliseconds(100) }),
        ("5: a client is read though many wait", 8, { $0.waitingLimit = 1 }),
        ("a connection is kept for nobody", 9, { $0.linger = .zero }),
    ]

    /// The first schedule in which the core breaks a promise that it was not given.
    private static func broken(_ promise: String, _ change: @escaping Change) -> Schedule? {
        for seed in 0..<2_000 as Range<UInt64> {
            if let schedule = Schedule(seed: seed, promised: change), schedule.violation.promise == promise {
                return schedule
            }
        }
        return nil
    }

    @Test(arguments: changes.indices)
    func `a failing schedule shrinks to a few events that break the same promise`(_ index: Int) throws {
        let (promise, longest, change) = Self.changes[index]
        let schedule = try #require(Self.broken(promise, change))
        let shrunk = schedule.shrunk()
        let (violation, trace) = shrunk.replay()
        #expect(violation?.promise == promise)
        #expect(trace.count <= longest, "\(shrunk)")
        #expect(trace.count == shrunk.stimuli.count)
    }

    @Test func `a schedule replays as it was`() throws {
        let (promise, _, change) = Self.changes[0]
        let schedule = try #require(Self.broken(promise, change))
        var simulation = Simulation(seed: schedule.seed, isRecording: true, promised: change)
        #expect(throws: Violation.self) { try simulation.run() }
        #expect(schedule.replay().trace == simulation.core.trace)
    }
}
