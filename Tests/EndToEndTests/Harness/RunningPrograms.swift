import Foundation
import Testing

/// The programs that the current test has started.
final class RunningPrograms: Sendable {
    @TaskLocal private static var current: RunningPrograms?
    private let all = Locked<[RunningProgram]>([])

    static func add(_ program: RunningProgram) {
        current?.all.withLock { $0.append(program) }
    }

    /// Does something, and ends the programs that it started, however it ends.
    static func ending(_ body: () async throws -> Void) async throws {
        let programs = RunningPrograms()
        let result: Result<Void, any Error>
        do {
            result = .success(try await $current.withValue(programs, operation: body))
        } catch {
            result = .failure(error)
        }
        for program in programs.all.withLock(\.self) {
            program.send(signal: SIGKILL)
            let found = program.lines(containing: "Sanitizer")
            #expect(found.isEmpty, "\(program.lines.suffix(60).map(\.text).joined(separator: "\n"))")
        }
        try result.get()
    }
}

/// Whatever programs a test started end with it, also when it fails.
struct EndsItsPrograms: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await RunningPrograms.ending(function)
    }
}

extension Trait where Self == EndsItsPrograms {
    static var endsItsPrograms: Self { Self() }
}
