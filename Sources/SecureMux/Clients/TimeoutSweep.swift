import NIOCore

/// Checks the timeouts of all clients that may exceed one, at regular intervals.
///
/// So a client costs no timer, and a request or response none either. Nothing ticks while no client has to be checked.
/// A timeout is noticed an interval too late at most, and never too early.
final class TimeoutSweep {
    private let eventLoop: any EventLoop
    /// How long until the next tick after the one that is due.
    var interval: TimeAmount
    private var clients: [ClientSession] = []
    private var tick: Scheduled<Void>?

    /// A sweep that ticks every `interval`.
    init(_ eventLoop: any EventLoop, interval: Duration) {
        self.eventLoop = eventLoop
        self.interval = TimeAmount(interval)
    }

    /// Checks a client once, an interval from now at the latest.
    func add(_ client: ClientSession) {
        clients.append(client)
        schedule()
    }

    private func schedule() {
        guard tick == nil, !clients.isEmpty else { return }
        let tick = eventLoop.assumeIsolated().scheduleTask(in: interval) { self.sweep() }
        // When the loop ends it does not tick any more, and clients and sweep would keep each other in memory.
        tick.futureResult.assumeIsolated().whenFailure { _ in self.clients = [] }
        self.tick = tick
    }

    private func sweep() {
        tick = nil
        let now = NIODeadline.now()
        let clients = clients
        self.clients = []
        for client in clients { client.checkTimeouts(at: now) }
    }
}

@available(*, unavailable)
extension TimeoutSweep: Sendable {}
