import MultiplexerCore
package import NIOCore

/// Lets the TLS handshakes of one event loop go on a few at a time, so that everybody else is served between them.
package final class HandshakePace {
    private let eventLoop: any EventLoop
    private var turns = HandshakeTurns<IPAddress?, ObjectIdentifier>(limit: .milliseconds(2))
    private var steps: [ObjectIdentifier: Step] = [:]
    private var isTurnScheduled = false

    private struct Step {
        let address: IPAddress?
        let take: () -> Void
    }

    /// A task that is due at once would run before the loop looks at its sockets again.
    private static let pause = TimeAmount.milliseconds(1)

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// How many wait.
    var waiting: Int { steps.count }

    /// Whether a step may be taken at once, in ``take(_:)``.
    var hasTime: Bool { turns.hasTime }

    /// Takes a step and notes how long it took.
    func take(_ step: () -> Void) {
        let start = NIODeadline.now()
        step()
        turns.spend(.nanoseconds((NIODeadline.now() - start).nanoseconds))
        scheduleTurn()
    }

    /// Takes a step of `handler` as soon as it is its turn.
    func wait(_ handler: TLSHandler, from peer: SocketAddress?, _ step: @escaping () -> Void) {
        let address = peer.flatMap { IPAddress($0)?.network }
        turns.add(ObjectIdentifier(handler), of: address)
        steps[ObjectIdentifier(handler)] = Step(address: address, take: step)
        scheduleTurn()
    }

    /// Forgets `handler`, if it waits.
    func leave(_ handler: TLSHandler) {
        guard let step = steps.removeValue(forKey: ObjectIdentifier(handler)) else { return }
        turns.remove(ObjectIdentifier(handler), of: step.address)
    }

    private func scheduleTurn() {
        guard !isTurnScheduled else { return }
        isTurnScheduled = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.takeTurn() }
    }

    private func takeTurn() {
        isTurnScheduled = false
        turns.begin()
        while let member = turns.next() {
            if let step = steps.removeValue(forKey: member) { take(step.take) }
        }
    }
}

@available(*, unavailable)
extension HandshakePace: Sendable {}
