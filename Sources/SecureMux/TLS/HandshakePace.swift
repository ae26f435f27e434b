import MultiplexerCore
package import NIOCore

/// Lets the TLS handshakes of one event loop go on a step at a time, so that everybody else is served between them.
///
/// A step takes the loop longer than many requests. After each of them it looks at its sockets, and while clients wait
/// for answers, handshakes wait for a moment too: a device that answers fast is not kept from it.
package final class HandshakePace {
    private let eventLoop: any EventLoop
    private var turns = HandshakeTurns<IPAddress?, ObjectIdentifier>()
    private var steps: [ObjectIdentifier: Step] = [:]
    private var isPausing = false
    /// How many clients wait for an answer.
    private var awaited = 0
    /// For so many pauses after a step the next one waits for answers, at most; and how many of them are left.
    private var patience = HandshakePace.mostPauses
    private var pausesLeft = 0
    /// A client has got an answer since the last step.
    private var hasAnswered = false

    private struct Step {
        let address: IPAddress?
        let take: () -> Void
    }

    /// A task that is due at once would run before the loop looks at its sockets again; and a device on the same processor
    /// needs a moment of it to answer.
    static let pause = TimeAmount.microseconds(30)
    /// Longer than a fast device takes to answer, and no longer than people notice.
    static let mostPauses = 32

    package init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// How many wait.
    var waiting: Int { steps.count }

    /// Whether a step may be taken at once, with ``take(_:)``.
    var isFree: Bool { !isPausing && steps.isEmpty }

    /// Takes a step, and lets those that come next wait for a moment.
    func take(_ step: () -> Void) {
        pausesLeft = patience
        hasAnswered = false
        // Whoever comes while the step is taken waits; the pause begins behind it.
        isPausing = true
        step()
        startPause()
    }

    /// Takes a step of `handler` as soon as it is its turn.
    func wait(_ handler: TLSHandler, from peer: SocketAddress?, _ step: @escaping () -> Void) {
        let address = peer.flatMap { IPAddress($0)?.network }
        turns.add(ObjectIdentifier(handler), of: address)
        steps[ObjectIdentifier(handler)] = Step(address: address, take: step)
        if !isPausing { startPause() }
    }

    /// Forgets `handler`, if it waits.
    func leave(_ handler: TLSHandler) {
        guard let step = steps.removeValue(forKey: ObjectIdentifier(handler)) else { return }
        turns.remove(ObjectIdentifier(handler), of: step.address)
    }

    /// A client has asked something.
    func asked() { awaited += 1 }

    /// A client that had asked has got an answer, or will get none.
    func answered() {
        awaited -= 1
        hasAnswered = true
    }

    private func startPause() {
        isPausing = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.endPause() }
    }

    private func endPause() {
        isPausing = false
        if awaited > 0, pausesLeft > 0 {
            pausesLeft -= 1
            return startPause()
        }
        // To clients of a slow device a step more is nothing, and handshakes need not wait for it in vain.
        patience = hasAnswered || awaited == 0 ? Self.mostPauses : patience / 2
        if let member = turns.next(), let step = steps.removeValue(forKey: member) { take(step.take) }
    }
}

@available(*, unavailable)
extension HandshakePace: Sendable {}
