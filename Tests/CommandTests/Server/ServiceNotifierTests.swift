import Dispatch
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import SecureMux
@testable import tcp_multiplexer

/// What a service manager is told, on a socket as it has one.
@Suite struct ServiceNotifierTests {
    private let folder: TestFolder
    private let socket: NotificationSocket

    init() throws {
        folder = try TestFolder()
        socket = try NotificationSocket(folder["notify"])
    }

    @Test func `it is told that the service is ready, and how it is doing`() async throws {
        notifier().ready("sharing inverter")
        #expect(try await socket.next() == ["READY": "1", "STATUS": "sharing inverter"])
    }

    @Test func `a reload has a time that lies between two readings of the clock`() async throws {
        let before = monotonicMicroseconds()
        notifier().reloading()
        let message = try #require(try await socket.next())
        let after = monotonicMicroseconds()
        let time = try #require(message["MONOTONIC_USEC"].flatMap { Int($0) })
        #expect(before <= time && time <= after)
        #expect(message["RELOADING"] == "1")
    }

    @Test func `what stops is neither ready nor loading any more`() async throws {
        let notifier = notifier()
        notifier.stopping()
        notifier.reloading()
        notifier.ready("reloaded")
        let all = try await socket.all(untilSilentFor: .milliseconds(50))
        #expect(all.map { $0["STOPPING"] } == ["1"])
    }

    @Test func `a status stays one line, of a length that is not ignored`() async throws {
        notifier().ready("a\nREADY=0\n" + String(repeating: "🧨", count: 5000))
        let message = try #require(try await socket.next())
        #expect(message.keys.sorted() == ["READY", "STATUS"])
        #expect(message["READY"] == "1")
        #expect(message["STATUS"]?.hasSuffix("…") == true)
    }

    #if os(Linux)
        @Test func `a name in no file system is found`() async throws {
            let name = "@tcp-multiplexer-\(UInt64.random(in: 0 ... .max))"
            let socket = try NotificationSocket(name)
            ServiceNotifier(environment: ["NOTIFY_SOCKET": name], logger: Logger(label: "none")).ready("here")
            #expect(try await socket.next()?["STATUS"] == "here")
        }
    #endif

    @Test(arguments: ["", "relative", "vsock:2:1234", "/does/not/exist", "/" + String(repeating: "x", count: 200), "@"])
    func `where nobody listens nothing happens, and it is said once at most`(name: String) async throws {
        let lines = NIOLockedValueBox<[String]>([])
        let logger = Logger(label: "recorded") { _ in RecordingHandler(lines: lines) }
        let notifier = ServiceNotifier(
            environment: ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000"],
            logger: logger
        )
        notifier.ready("here")
        notifier.reloading()
        notifier.stopping()
        #expect(lines.withLockedValue(\.self).count == (name.isEmpty ? 0 : 1))
    }

    // MARK: Signs of life

    @Test func `signs of life come twice as often as they are awaited`() async throws {
        let feeding = try #require(notifier(["WATCHDOG_USEC": "200000"]).feedWatchdog { true })
        defer { feeding.cancel() }
        let start = ContinuousClock.now
        for _ in 1...4 { #expect(try await socket.next() == ["WATCHDOG": "1"]) }
        #expect(ContinuousClock.now - start >= .milliseconds(290))
    }

    @Test(arguments: [
        [:], ["WATCHDOG_USEC": "0"], ["WATCHDOG_USEC": "x"], ["WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"],
    ])
    func `where nobody waits for signs of life there are none`(environment: [String: String]) {
        #expect(notifier(environment).feedWatchdog { true } == nil)
    }

    @Test func `signs of life that are ours to give are given`() {
        let feeding = notifier(["WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "\(getpid())"]).feedWatchdog { true }
        #expect(feeding != nil)
        feeding?.cancel()
    }

    @Test func `signs of life stop while a loop is held up, and go on after it`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let watch = LoopWatch(
            [group.next()],
            interval: .milliseconds(10),
            limit: .milliseconds(100),
            logger: Logger(label: "none") { _ in SwiftLogNoOpLogHandler() }
        )
        watch.start()
        let feeding = try #require(notifier(["WATCHDOG_USEC": "40000"]).feedWatchdog { !watch.health.isStalled })
        #expect(try await socket.next() != nil)
        let heldUp = DispatchSemaphore(value: 0)
        group.next().execute { heldUp.wait() }
        let deadline = ContinuousClock.now + .seconds(10)
        while !watch.health.isStalled {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
        // One may have been on its way.
        try await Task.sleep(for: .milliseconds(50))
        _ = try await socket.all(untilSilentFor: .zero)
        #expect(try await socket.next(within: .milliseconds(200)) == nil)
        heldUp.signal()
        #expect(try await socket.next() == ["WATCHDOG": "1"])
        feeding.cancel()
        await watch.stop()
        try await group.shutdownGracefully()
    }

    private func notifier(_ environment: [String: String] = [:]) -> ServiceNotifier {
        ServiceNotifier(
            environment: environment.merging(["NOTIFY_SOCKET": socket.name]) { $1 },
            logger: Logger(label: "none") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}

private func monotonicMicroseconds() -> Int {
    Int(DispatchTime.now().uptimeNanoseconds / 1000)
}

/// Keeps messages.
private struct RecordingHandler: LogHandler {
    var logLevel = Logger.Level.debug
    var metadata: Logger.Metadata = [:]
    let lines: NIOLockedValueBox<[String]>

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.withLockedValue { $0.append("\(event.message)") } }
}
