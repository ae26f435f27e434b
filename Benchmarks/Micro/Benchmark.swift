/// One step, done so often that a clock can tell how long it takes.
struct Benchmark {
    /// What is done.
    let name: String
    /// Does it `times` times.
    ///
    /// What it returns depends on all that was done, so that nothing can be left out.
    let body: (_ times: Int) throws -> Int

    /// Nanoseconds each.
    struct Times {
        var least: Double
        var median: Double
    }

    private static let runs = 9
    private static let shortestRun = Duration.milliseconds(50)

    /// Runs it for about half a second.
    func run() throws -> Times {
        var times = 16
        var sum = 0
        while try measure(times, &sum) < Self.shortestRun { times *= 2 }
        let each = try (0..<Self.runs).map { _ in Double(try measure(times, &sum).nanoseconds) / Double(times) }
            .sorted()
        // Never so, but the compiler does not know.
        if sum == 42 { print() }
        return Times(least: each[0], median: each[each.count / 2])
    }

    private func measure(_ times: Int, _ sum: inout Int) throws -> Duration {
        let clock = ContinuousClock()
        let start = clock.now
        sum &+= try body(times)
        return clock.now - start
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
