import CScheduler
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Takes steps of handshakes somewhere else than on the event loop.
protocol HandshakeRunner {
    /// How many steps it takes at a time.
    var width: Int { get }

    /// Takes a step, then calls `finished` from any thread; once it is shut down it calls that without having taken the step.
    func run(_ step: HandshakeStep, finished: @escaping @Sendable () -> Void)

    /// Frees sessions that are not needed any more, and that nobody else has.
    func free(_ steps: [HandshakeStep])
}

/// The threads that all event loops of a server give the steps of their handshakes to.
final class HandshakePool: HandshakeRunner, Sendable {
    let width: Int
    private let threads: NIOThreadPool

    /// How much lower their priority is than the event loops'.
    ///
    /// A step takes the processor for longer than many requests, and nobody's request is to wait for it: an event loop that has
    /// something to do comes first. Not always: even while a loop is always busy, handshakes still get a tenth.
    static let niceness: Int32 = 10

    /// As many threads as there are processors: a step does nothing but compute.
    init(threads count: Int = System.coreCount) {
        width = max(count, 1)
        threads = NIOThreadPool(numberOfThreads: width)
        threads._start(threadNamePrefix: "handshake-")
    }

    func run(_ step: HandshakeStep, finished: @escaping @Sendable () -> Void) {
        threads.submit { state in
            if state == .active {
                Self.giveWay()
                step.run()
            }
            // In any case, so that nobody waits for it: the loops live on until the pool has ended.
            finished()
        }
    }

    func free(_ steps: [HandshakeStep]) {
        threads.submit { state in
            if state == .active { Self.giveWay() }
            for step in steps { step.freeSession() }
        }
    }

    /// Ends the threads, once each of them has taken the step that it is at; the event loops have to live on until then.
    func shutdown() async {
        try? await threads.shutdownGracefully()
    }

    private static let hasGivenWay = ThreadSpecificVariable<GivenWay>()

    private final class GivenWay: Sendable {}

    /// Lowers this thread's priority, the first time.
    private static func giveWay() {
        guard hasGivenWay.currentValue == nil else { return }
        hasGivenWay.currentValue = GivenWay()
        #if os(Linux)
            // There it is the thread's own, although the name says "process". To lower it is always allowed.
            let nice = min(getpriority(ownPriority, 0) + niceness, 19)
            _ = setpriority(ownPriority, 0, nice)
            // Since 6.6 whoever runs may go on to the end of its slice, a few milliseconds, however nice it is; since 6.12 whoever
            // wakes and has a shorter slice does not wait for that.
            _ = CScheduler_set_slice(nice, 100_000_000)
        #endif
    }

    /// PRIO_PROCESS, which glibc declares with another type than it takes.
    static let ownPriority: Int32 = 0
}
