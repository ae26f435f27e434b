import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// Watches event loops from a thread of its own, and says in the log when one does not get round to its work.
///
/// All the work for a device is done on one loop. If something there blocked, no deadline on that loop would fire and nobody
/// would be told.
final class LoopWatch: Sendable {
    private let loops: NIOLockedValueBox<[WatchedLoop]>
    private let interval: TimeAmount
    private let limit: TimeAmount
    private let logger: Logger
    /// The watch's own thread.
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let task: NIOLockedValueBox<RepeatedTask?>

    /// Asks each of `eventLoops` for an answer at this interval, and calls it stalled when that takes longer than `limit`.
    init(
        _ eventLoops: [any EventLoop],
        interval: Duration = .seconds(1),
        limit: Duration = .seconds(5),
        logger: Logger
    ) {
        self.interval = TimeAmount(interval)
        self.limit = TimeAmount(limit)
        self.logger = logger
        loops = NIOLockedValueBox([])
        task = NIOLockedValueBox(nil)
        add(eventLoops)
    }

    /// Watches more of them.
    func add(_ eventLoops: [any EventLoop]) {
        loops.withLockedValue { loops in
            for eventLoop in eventLoops {
                let number = loops.count + 1
                loops.append(WatchedLoop(eventLoop, number, interval: interval, limit: limit, logger: logger))
            }
        }
    }

    /// Begins to watch.
    func start() {
        task.withLockedValue { task in
            task = group.next().scheduleRepeatedTask(initialDelay: interval, delay: interval) { [loops] _ in
                let loops = loops.withLockedValue { $0 }
                for loop in loops { loop.look(isOnly: loops.count == 1) }
            }
        }
    }

    /// Ends the watch; to be awaited before the loops are shut down, since those may no longer be asked then.
    func stop() async {
        task.withLockedValue { task in
            task?.cancel()
            task = nil
        }
        try? await group.shutdownGracefully()
    }

    /// How the loops are doing, the worst of each figure; may be asked from any thread.
    var health: LoopHealth {
        loops.withLockedValue { $0 }.map(\.health).reduce(into: LoopHealth()) { $0.add($1) }
    }
}

/// What the watch knows of one loop.
private final class WatchedLoop: Sendable {
    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private let limit: TimeAmount
    private let logger: Logger
    private let number: Int
    private let state: NIOLockedValueBox<State>

    private struct State {
        var lastResponse: NIODeadline
        /// When the loop was asked for what it has not done yet.
        var asked: NIODeadline?
        /// The current stall is in the log.
        var isTold = false
        /// A stall that is over and not yet in the log as such.
        var ended: TimeAmount?
        var lastLook: NIODeadline
        var stalls = 0
        var longestStall = TimeAmount.zero
    }

    init(_ eventLoop: any EventLoop, _ number: Int, interval: TimeAmount, limit: TimeAmount, logger: Logger) {
        self.eventLoop = eventLoop
        self.number = number
        self.interval = interval
        self.limit = limit
        self.logger = logger
        let now = NIODeadline.now()
        state = NIOLockedValueBox(State(lastResponse: now, lastLook: now))
    }

    /// How the loop is doing; may be asked from any thread.
    var health: LoopHealth {
        let now = NIODeadline.now()
        return state.withLockedValue { state in
            let waited = state.asked.map { now - $0 } ?? .zero
            let isStalled = waited >= limit
            let isNew = isStalled && !state.isTold
            return LoopHealth(
                sinceLastResponse: Duration(now - state.lastResponse),
                isStalled: isStalled,
                stalls: state.stalls + (isNew ? 1 : 0),
                longestStall: Duration(isStalled ? max(state.longestStall, waited) : state.longestStall)
            )
        }
    }

    /// Asks the loop for an answer, and says what became of the last one; one that `isOnly` needs no number.
    func look(isOnly: Bool) {
        var logger = logger
        if !isOnly { logger[metadataKey: "loop"] = "\(number)" }
        let now = NIODeadline.now()
        let (asks, stalled, ended) = state.withLockedValue { state in
            // When the whole process stood still, so did the watch: that time is nobody's fault.
            let late = now - state.lastLook - interval
            if late > limit, !state.isTold { state.asked = state.asked.map { $0 + late } }
            state.lastLook = now
            defer { state.ended = nil }
            guard let asked = state.asked else {
                state.asked = now
                return (true, TimeAmount?.none, state.ended)
            }
            guard now - asked >= limit, !state.isTold else { return (false, nil, state.ended) }
            state.isTold = true
            state.stalls += 1
            return (false, now - asked, state.ended)
        }
        if let ended {
            logger.notice("the event loop goes on", metadata: ["stalled-for": "\(Duration(ended).readableText)"])
        }
        if let stalled {
            logger.error(
                "the event loop is stalled: its clients and devices are not served",
                metadata: [
                    "for": "\(Duration(stalled).readableText)",
                    "remedy": "look at the machine's load and storage; if it lasts, restart and report it",
                ]
            )
        }
        if asks { eventLoop.execute { [self] in responded() } }
    }

    private func responded() {
        let now = NIODeadline.now()
        state.withLockedValue { state in
            state.lastResponse = now
            guard let asked = state.asked else { return }
            state.asked = nil
            guard state.isTold || now - asked >= limit else { return }
            if !state.isTold { state.stalls += 1 }
            state.isTold = false
            state.ended = now - asked
            state.longestStall = max(state.longestStall, now - asked)
        }
    }
}
