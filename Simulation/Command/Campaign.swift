import Dispatch
import Foundation
import MultiplexerCore
import Synchronization

/// Runs many schedules on all processors, until one breaks a promise.
final class Campaign: Sendable {
    private let seeds: UInt64
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    private struct State {
        /// The next seed that nobody has taken.
        var next: UInt64 = 0
        var done: UInt64 = 0
        var requests = 0
        /// Of the lowest seed that fails.
        var failure: (seed: UInt64, violation: Violation)?
        var lastWord = ContinuousClock.now
    }

    private static let portion: UInt64 = 500
    private static let silence = Duration.seconds(5)

    init(seeds: UInt64) {
        self.seeds = seeds
    }

    var failure: (seed: UInt64, violation: Violation)? { state.withLock { $0.failure } }

    /// Such as "1000000 seeds in 60 s, 16666 a second, 12000000 requests: every promise held".
    var summary: String {
        let (done, requests) = state.withLock { ($0.done, $0.requests) }
        return "\(progress(done)), \(requests) requests: every promise held"
    }

    func run() {
        DispatchQueue.concurrentPerform(iterations: ProcessInfo.processInfo.activeProcessorCount) { _ in
            while let portion = take() { run(portion) }
        }
    }

    private func run(_ portion: Range<UInt64>) {
        var requests = 0
        for seed in portion {
            var simulation = Simulation(seed: seed)
            var streams = Streams(seed: seed)
            do {
                try streams.run()
                try simulation.run()
                requests += simulation.core.statistics.requests
            } catch {
                return fail(seed, error)
            }
        }
        state.withLock { state in
            state.done += UInt64(portion.count)
            state.requests += requests
            guard ContinuousClock.now - state.lastWord > Self.silence else { return }
            state.lastWord = .now
            say(progress(state.done))
        }
    }

    /// The seeds to try next; none behind one that fails.
    private func take() -> Range<UInt64>? {
        state.withLock { state in
            guard state.failure == nil, state.next < seeds else { return nil }
            let first = state.next
            state.next = min(first + Self.portion, seeds)
            return first..<state.next
        }
    }

    private func fail(_ seed: UInt64, _ violation: Violation) {
        state.withLock { state in
            if seed < state.failure?.seed ?? .max { state.failure = (seed, violation) }
        }
    }

    private func progress(_ done: UInt64) -> String {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return "\(done) seeds in \(Int(seconds)) s, \(Int(Double(done) / max(seconds, 0.001))) a second"
    }
}

/// Tells whoever watches how far it is; what was found goes to standard output.
func say(_ words: String) { FileHandle.standardError.write(Data("\(words)\n".utf8)) }
