import Foundation
import Logging
import SecureMux
import ServerSettings
import Testing

@testable import tcp_multiplexer

/// Reloads of a server that serves, with what belongs to the process.
@Suite struct ReloadsTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    @Test func `what is asked for while a reload runs is one that comes after it`() async throws {
        let running = try await start()
        let outcomes = await withTaskGroup(of: Reloads.Outcome.self) { group in
            for _ in 0..<50 { group.addTask { await running.reloads.reload(because: .signal) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.map(\.isDone) == Array(repeating: true, count: 50))
        // Each is a line; how many are joined depends on how fast they are asked for.
        #expect((1...25).contains(try lines(containing: "the configuration was reloaded")))
        await running.end()
    }

    @Test func `one that is asked for while another runs sees what was written before`() async throws {
        let running = try await start()
        for round in 1...20 {
            async let earlier = running.reloads.reload(because: .signal)
            await Task.yield()
            try write(gap: "\(round)ms")
            let outcome = await running.reloads.reload(because: .control)
            _ = await earlier
            #expect(outcome.isDone)
            // Whichever of the two has read it: nothing is left to change.
            #expect(await running.reloads.reload(because: .control).text == "nothing changed")
        }
        await running.end()
    }

    @Test func `the next one begins when the one before has ended`() async throws {
        let manager = try NotificationSocket(folder["notify"])
        let running = try await start(notifying: manager)
        async let asked: Void = withTaskGroup { group in
            for _ in 0..<40 {
                // One may be asked for before the other has begun.
                for _ in 1...2 { group.addTask { _ = await running.reloads.reload(because: .signal) } }
                try? await Task.sleep(for: .microseconds(.random(in: 0...3000)))
            }
        }
        var states: [String] = []
        while let message = try await manager.next(within: .seconds(3)) {
            states.append(message["READY"] == nil ? "reloading" : "ready")
        }
        await asked
        #expect(states.count > 4)
        #expect(states == (0..<states.count / 2).flatMap { _ in ["reloading", "ready"] })
        await running.end()
    }

    @Test func `level and file of the log become others, and nothing is lost`() async throws {
        let running = try await start()
        running.log.logger.info("too small")
        try write(process: "log: {level: info, file: other.log}")
        let outcome = await running.reloads.reload(because: .signal)
        #expect(outcome.text == "log.file \(folder["other.log"]); log.level info")
        running.log.logger.info("large enough")
        #expect(try lines(containing: "too small") == 0)
        #expect(try lines(containing: "the log goes on elsewhere") == 1)
        #expect(try lines(containing: "large enough", of: "other.log") == 1)
        #expect(try lines(containing: "settings of the process were reloaded", of: "other.log") == 1)
        await running.end()
    }

    @Test func `a log file that cannot be opened changes nothing`() async throws {
        let running = try await start()
        try write(gap: "7ms", process: "log: {file: missing/other.log}")
        let outcome = await running.reloads.reload(because: .signal)
        #expect(outcome.text.hasPrefix("the log file \(folder["missing/other.log"]) cannot be written"))
        #expect(!outcome.isDone)
        try write()
        #expect(await running.reloads.reload(because: .signal).text == "nothing changed")
        await running.end()
    }

    @Test func `a port that is taken changes nothing, not the log either`() async throws {
        let (running, other) = (try await start(), try await start(in: TestFolder()))
        let taken = try #require(other.server.addresses.first)
        try write(process: "log: {level: debug, file: other.log}", listeners: "0}, {address: \(taken.port)")
        #expect(!(await running.reloads.reload(because: .signal).isDone))
        running.log.logger.debug("too small")
        #expect(try lines(containing: "too small") == 0)
        #expect(try lines(containing: "was not reloaded") == 1)
        await running.end()
        await other.end()
    }

    @Test func `options count more than what the file says of the process`() async throws {
        var options = WrittenSettings()
        options[.logLevel] = "error"
        options[.logFile] = folder["log"]
        let running = try await start(options)
        try write(process: "log: {level: debug, file: other.log}")
        #expect(await running.reloads.reload(because: .signal).text == "nothing changed")
        await running.end()
    }

    @Test func `each problem is a line`() async throws {
        let running = try await start()
        try write(gap: "soon", listeners: "0, max-client: 3")
        guard case .failed(let problems) = await running.reloads.reload(because: .control) else {
            Issue.record("it was reloaded")
            return
        }
        #expect(problems.count == 2)
        #expect(try lines(containing: "nothing has changed cause=\"the control socket\" problems=2") == 1)
        for problem in problems { #expect(try lines(containing: " error    \(problem)") == 1) }
        await running.end()
    }

    @Test func `a watch begins and ends where the file says so`() async throws {
        let running = try await start()
        try write(process: "watch: true")
        #expect(await running.reloads.reload(because: .signal).text == "watch true")
        try write(gap: "7ms", process: "watch: true")
        try await wait { try lines(containing: "changed d (times)") == 1 }
        try write(gap: "7ms")
        try await wait { try lines(containing: "watch false") == 1 }
        try write(gap: "8ms")
        try await Task.sleep(for: .seconds(3))
        #expect(try lines(containing: "changed d (times)") == 1)
        await running.end()
    }

    @Test func `a server that stops reads nothing any more`() async throws {
        let running = try await start()
        await running.reloads.stop()
        try write(gap: "7ms")
        #expect(
            await running.reloads.reload(because: .signal).text
                == "the server is stopping: its configuration is not read any more"
        )
        #expect(try lines(containing: "notice   the server is stopping") == 1)
        await running.end()
    }

    @Test func `a control socket that is to be elsewhere needs a restart, which is said`() async throws {
        let running = try await start()
        try write(process: "control: elsewhere")
        #expect(await running.reloads.reload(because: .signal).text == "nothing changed")
        #expect(try lines(containing: "the control socket stays where it is remedy=\"restart to move it\"") == 1)
        await running.end()
    }

    // MARK: A server

    private struct Running {
        let server: Server
        let reloads: Reloads
        let log: ServerLog

        func end() async {
            await reloads.stop()
            await server.drain()
        }
    }

    private func start(
        _ options: WrittenSettings = WrittenSettings(),
        in folder: TestFolder? = nil,
        notifying manager: NotificationSocket? = nil
    ) async throws -> Running {
        let folder = folder ?? self.folder
        try write(in: folder)
        let source = ConfigurationSource.file(folder["config.yml"], environment: [:])
        var watch = FileWatch(SourceFiles())
        let loaded = try watch.load(source).get()
        let log = try ServerLog(options.over(loaded.written.process), names: .keys)
        let server = try await Server.start(loaded.configuration, logger: log.logger)
        let reloads = Reloads(
            server,
            from: source,
            options: options,
            loaded: loaded,
            watch: watch,
            log: log,
            notifier: ServiceNotifier(
                environment: manager.map { ["NOTIFY_SOCKET": $0.name] } ?? [:],
                logger: log.logger
            )
        )
        return Running(server: server, reloads: reloads, log: log)
    }

    private func write(
        gap: String = "0",
        process: String = "log: {file: log}",
        listeners: String = "0",
        in folder: TestFolder? = nil
    ) throws {
        // What is said of the process may leave the log where it is.
        let log = process.contains("log:") ? "" : "log: {file: log}\n"
        try (folder ?? self.folder).replace(
            "config.yml",
            by: """
                \(log)\(process)
                devices:
                  d:
                    target: 127.0.0.1:1
                    protocol: modbus
                    gap: \(gap)
                    listeners: [{address: \(listeners)}]

                """
        )
    }

    /// How many lines of the log contain a text.
    private func lines(containing part: String, of file: String = "log") throws -> Int {
        try String(contentsOfFile: folder[file], encoding: .utf8).split(separator: "\n").count { $0.contains(part) }
    }

    private func wait(for condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while try !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

extension Reloads.Outcome {
    fileprivate var isDone: Bool {
        if case .done = self { true } else { false }
    }

    fileprivate var text: String {
        switch self {
        case .done(let changes): changes
        case .failed(let problems): problems.joined(separator: "\n")
        }
    }
}
