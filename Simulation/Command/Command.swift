import Foundation

/// `simulate SEEDS` runs as many schedules; `simulate --seed SEED` runs one and shows it.
@main
struct Command {
    static func main() {
        switch Array(CommandLine.arguments.dropFirst()) {
        case let words where words.count == 1:
            guard let seeds = UInt64(words[0]), seeds > 0 else { return refuse() }
            run(seeds)
        case let words where words.count == 2 && words[0] == "--seed":
            guard let seed = UInt64(words[1]) else { return refuse() }
            replay(seed)
        default:
            refuse()
        }
    }

    private static func run(_ seeds: UInt64) {
        let campaign = Campaign(seeds: seeds)
        campaign.run()
        guard let (seed, violation) = campaign.failure else { return print(campaign.summary) }
        say("")
        print("seed \(seed): \(violation.promise)")
        if let story = story(ofStreams: seed) {
            // They are short as they are.
            print("\n\(story)\n\nShrunk from 1 events to 1.\nReplay it with: make simulate SEED=\(seed)")
            exit(1)
        }
        guard let schedule = Schedule(seed: seed) else {
            print("It fails no more: the schedule does not depend on its seed alone.")
            exit(1)
        }
        let shrunk = schedule.shrunk()
        print("\n\(shrunk)\n")
        print("Shrunk from \(schedule.stimuli.count) events to \(shrunk.stimuli.count).")
        print("Replay all of it with: make simulate SEED=\(seed)")
        exit(1)
    }

    /// What the streams of a seed break; nil if nothing.
    private static func story(ofStreams seed: UInt64) -> String? {
        var streams = Streams(seed: seed)
        do {
            try streams.run()
            return nil
        } catch {
            return error.description
        }
    }

    private static func replay(_ seed: UInt64) {
        if let story = story(ofStreams: seed) {
            print("seed \(seed): \(story)")
            exit(1)
        }
        if let schedule = Schedule(seed: seed) {
            print("seed \(seed): \(schedule)")
            exit(1)
        }
        var simulation = Simulation(seed: seed, isRecording: true)
        try? simulation.run()
        print(simulation.scenario.configuration.text)
        print((simulation.core.trace ?? []).joined(separator: "\n"))
    }

    private static func refuse() {
        print("Usage: simulate SEEDS | simulate --seed SEED")
        exit(2)
    }
}
