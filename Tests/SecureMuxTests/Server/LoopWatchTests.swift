import Logging
import MultiplexerCore
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import SecureMux

@Suite(.timeLimit(.minutes(1))) struct LoopWatchTests {
    @Test func `a loop that is blocked is reported once, and once more when it goes on`() async throws {
        try await withWatch { watch, loop, log in
            try await eventually { watch.health.sinceLastResponse < .seconds(1) }
            #expect(!watch.health.isStalled)
            #expect(watch.health.stalls == 0)

            let blocked = Blocked(loop)
            try await eventually { watch.health.isStalled }
            try await eventually { log.lines.contains { $0.hasPrefix("error the event loop is stalled") } }
            try await Task.sleep(for: .milliseconds(200))
            #expect(watch.health.sinceLastResponse > .milliseconds(100))
            #expect(watch.health.longestStall > .milliseconds(100))
            #expect(log.lines.count { $0.contains("stalled") } == 1, "\(log.lines)")

            blocked.release()
            try await eventually { log.lines.contains { $0.contains("the event loop goes on stalled-for=") } }
            #expect(!watch.health.isStalled)
            #expect(watch.health.stalls == 1)
            #expect(watch.health.longestStall > .milliseconds(200))
            try await Task.sleep(for: .milliseconds(100))
            #expect(log.lines.count == 2, "\(log.lines)")
        }
    }

    @Test func `a server says how its loop is doing, also while that is stuck in the log`() async throws {
        let log = BlockingLog()
        let server = try await Server.start(
            try ServerConfiguration(
                device: DeviceAddress(checked: "127.0.0.1", port: 1),
                applicationProtocol: .modbus,
                listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: 0))]
            ),
            stallLimit: .milliseconds(200),
            logger: log.logger
        )
        try await eventually { server.health.sinceLastResponse < .milliseconds(200) }
        #expect(!server.health.isStalled)
        let client = try await TestPeer.connect(to: server.addresses[0].port)
        try await eventually { server.health.isStalled }
        log.release()
        try await eventually { !server.health.isStalled && server.health.stalls == 1 }
        try await client.close()
        await server.drain()
    }

    private func withWatch(
        interval: Duration = .milliseconds(10),
        limit: Duration = .milliseconds(100),
        _ body: (LoopWatch, any EventLoop, RecordedLog) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let log = RecordedLog()
        let watch = LoopWatch([group.next()], interval: interval, limit: limit, logger: log.logger)
        watch.start()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(watch, group.next(), log))
        } catch {
            outcome = .failure(error)
        }
        await watch.stop()
        try await group.shutdownGracefully()
        try outcome.get()
    }
}

/// A loop that does nothing until it is released.
private struct Blocked {
    private let door = ConditionLock(value: false)

    init(_ loop: any EventLoop) {
        let door = door
        loop.execute { if door.lock(whenValue: true, timeoutSeconds: 20) { door.unlock() } }
    }

    func release() {
        door.lock()
        door.unlock(withValue: true)
    }
}

/// A log that takes no line about a client until it is released.
private struct BlockingLog {
    private let door = ConditionLock(value: false)

    var logger: Logger {
        let door = door
        return Logger(label: "test") { _ in Handler(door: door) }
    }

    func release() {
        door.lock()
        door.unlock(withValue: true)
    }

    private struct Handler: LogHandler {
        let door: ConditionLock<Bool>
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard "\(event.message)" == "client connected" else { return }
            if door.lock(whenValue: true, timeoutSeconds: 20) { door.unlock() }
        }
    }
}
