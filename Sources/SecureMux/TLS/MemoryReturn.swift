import CMalloc
import NIOCore

/// Gives memory back to the system when many connections have ended.
///
/// What they had lies between what others still have, and glibc keeps it: after a crowd, many times what is in use. Other
/// systems give it back by themselves.
final class MemoryReturn {
    private let eventLoop: any EventLoop
    private let returnMemory: () -> Void
    /// How many connections have ended since memory was returned.
    private var ended = 0

    /// How many connections have to end to be worth the time: a millisecond for each 12 MB that are returned.
    static let crowd = 64
    /// Others may still be ending.
    static let pause = TimeAmount.seconds(5)

    init(_ eventLoop: any EventLoop, returningBy returnMemory: @escaping () -> Void = CMalloc_trim) {
        self.eventLoop = eventLoop
        self.returnMemory = returnMemory
    }

    /// A connection has ended.
    func connectionClosed() {
        ended += 1
        guard ended == Self.crowd else { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.ended = 0
            self.returnMemory()
        }
    }
}

@available(*, unavailable)
extension MemoryReturn: Sendable {}
