import Foundation
import Testing

/// Clients that measure how long answers take: `Clients/latency.py`.
struct Latency {
    let program: RunningProgram

    /// What the clients saw since the last summary.
    struct Summary {
        var exchanges = 0
        var failures = 0
        var median = Duration.zero
        var p90 = Duration.zero
        var p99 = Duration.zero
        var worst = Duration.zero
    }

    init(_ program: RunningProgram) async throws {
        self.program = program
        try await program.line(containing: "well")
    }

    static func start(_ port: Int, clients: Int = 1, pause: Int = 20) async throws -> Latency {
        try await Latency(
            .client("latency.py", ["\(port)", "--clients", "\(clients)", "--pause", "\(pause)"], hasInput: true)
        )
    }

    /// What was since the last summary.
    func summary() async throws -> Summary {
        let start = program.lineCount
        try program.tell("summary")
        return try read(try await program.line(containing: "summary", from: start).text)
    }

    /// Ends the clients; none of them may have seen anything wrong.
    func finish() async throws {
        try program.endInput()
        #expect(try await program.end() == .exited(0))
        #expect(program.lines(containing: "wrong").isEmpty)
        #expect(program.lines(containing: "Traceback").isEmpty)
    }

    private func read(_ line: String) throws -> Summary {
        let values = Dictionary(
            line.matches(of: /([a-z0-9]+)=([0-9.]+)/).map { (String($0.1), Double($0.2) ?? 0) },
            uniquingKeysWith: { $1 }
        )
        func milliseconds(_ name: String) throws -> Duration { .seconds(try #require(values[name]) / 1_000) }
        return Summary(
            exchanges: Int(try #require(values["exchanges"])),
            failures: Int(values["0x0a", default: 0] + values["0x0b", default: 0]),
            median: try milliseconds("median"),
            p90: try milliseconds("p90"),
            p99: try milliseconds("p99"),
            worst: try milliseconds("worst")
        )
    }
}
