import Foundation

/// A program that a test runs beside itself: its output line by line, its end, signals to it.
///
/// No wait blocks a thread of the concurrency pool, and each is bounded.
final class RunningProgram: Sendable {
    /// A line of output or log, and when it came.
    struct Line {
        let text: String
        let time: ContinuousClock.Instant
    }

    /// How a program ended.
    enum End: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    private struct State {
        var lines: [Line] = []
        /// Set behind the last line.
        var end: End?
    }

    let pid: pid_t
    private let name: String
    private let state = Locked(State())
    private let input: FileHandle

    /// Starts a program, which ends with the test that started it if it has not ended by then.
    ///
    /// With `hasInput` its standard input stays open until ``endInput()``; otherwise it is empty.
    init(_ executable: URL, _ arguments: [String], hasInput: Bool = false, environment: [String: String] = [:]) throws {
        name = ([executable.lastPathComponent] + arguments).joined(separator: " ")
        let (input, output) = (Pipe(), Pipe())
        pid = try spawn(
            executable,
            arguments,
            environment: ProcessInfo.processInfo.environment
                .merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
                .merging(environment) { $1 },
            input: input.fileHandleForReading.fileDescriptor,
            output: output.fileHandleForWriting.fileDescriptor
        )
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
        self.input = input.fileHandleForWriting
        let (pid, state, reading) = (pid, state, output.fileHandleForReading)
        if !hasInput { try endInput() }
        // A thread of its own may block.
        Thread.detachNewThread {
            var rest = Data()
            while case let data = reading.availableData, !data.isEmpty {
                rest.append(data)
                let now = ContinuousClock.now
                while let end = rest.firstIndex(of: 0x0A) {
                    let text = String(decoding: rest[rest.startIndex..<end], as: UTF8.self)
                    rest.removeSubrange(rest.startIndex...end)
                    state.withLock { $0.lines.append(Line(text: text, time: now)) }
                }
            }
            let last = String(decoding: rest, as: UTF8.self)
            awaitEnd(of: pid)
            state.withLock { state in
                if !last.isEmpty { state.lines.append(Line(text: last, time: .now)) }
                state.end = reap(pid)
            }
        }
        RunningPrograms.add(self)
    }

    /// Everything it has said so far.
    var lines: [Line] {
        state.withLock(\.lines)
    }

    var lineCount: Int {
        state.withLock(\.lines.count)
    }

    /// What it said from line `start` on that contains all of `parts`.
    func lines(containing parts: String..., from start: Int = 0) -> [String] {
        lines.dropFirst(start).map(\.text).filter { line in parts.allSatisfy(line.contains) }
    }

    /// Waits for a line that contains all of `parts`, from line `start` on.
    @discardableResult
    func line(
        containing parts: String...,
        from start: Int = 0,
        within limit: Duration = .seconds(20)
    ) async throws -> Line {
        try await wait("say \(parts)", within: limit) { state in
            state.lines.dropFirst(start).first { line in parts.allSatisfy(line.text.contains) }
        }
    }

    /// Waits for `count` lines that contain all of `parts`, and returns the first ones of them.
    @discardableResult
    func lines(
        _ count: Int,
        containing parts: String...,
        from start: Int = 0,
        within limit: Duration = .seconds(20)
    ) async throws -> [String] {
        try await wait("say \(parts) \(count) times", within: limit) { state in
            let found = state.lines.dropFirst(start).map(\.text).filter { line in parts.allSatisfy(line.contains) }
            return found.count >= count ? Array(found.prefix(count)) : nil
        }
    }

    /// Waits for its end.
    @discardableResult
    func end(within limit: Duration = .seconds(20)) async throws -> End {
        try await wait("end", within: limit, evenIfEnded: true) { $0.end }
    }

    func send(signal: Int32) {
        // Once it has been reaped, the pid may be another's.
        state.withLock { state in
            if state.end == nil { _ = kill(pid, signal) }
        }
    }

    /// Gives it a line on its standard input.
    func tell(_ line: String) throws {
        try input.write(contentsOf: Data("\(line)\n".utf8))
    }

    /// Closes its standard input, which for our own clients means: come to an end.
    func endInput() throws {
        try input.close()
    }

    private func wait<Result>(
        _ what: String,
        within limit: Duration,
        evenIfEnded: Bool = false,
        for condition: (State) -> Result?
    ) async throws -> Result {
        let deadline = ContinuousClock.now + limit
        while true {
            // Looked at together: a line that came just before the end counts.
            let (result, hasEnded) = state.withLock { (condition($0), $0.end != nil) }
            if let result { return result }
            guard ContinuousClock.now < deadline, evenIfEnded || !hasEnded else {
                throw Disappointment(
                    description: """
                        \(name) did not \(what) \(hasEnded ? "before its end" : "within \(limit)"); its last lines:
                        \(lines.suffix(20).map(\.text).joined(separator: "\n"))
                        """
                )
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Something did not happen, in words for whoever reads the test's output.
struct Disappointment: Error, CustomStringConvertible {
    let description: String
}
