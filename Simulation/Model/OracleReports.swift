import MultiplexerCore

// What has to be reported, and no more.
extension Oracle {
    mutating func checkReport(_ report: Multiplexer.Report, at now: Duration) throws(Violation) {
        switch report {
        case .backingOff(let attempt, let delay):
            try expect(
                wait(of: leastStep) <= delay && delay <= wait(of: longestStep),
                "a wait is out of range",
                delay.text
            )
            try expect(step.hasFailed, "a device that answers was backed off from")
            try expect(link == nil, "3: another attempt is awaited while a connection is left")
            try expect(attempt == failures, "failed attempts were counted wrong", "\(attempt), not \(failures)")
            backingOffUntil = now + delay
        case .strayResponse:
            try take([.stray, .strayOrLate])
            guard !step.isExplained else { return }
            strays += 1
            let (times, rest) = strays.quotientAndRemainder(dividingBy: 3)
            if rest == 0, times.nonzeroBitCount == 1 { step.due.append(.competitor(strays)) }
        case .lateResponse:
            try take([.late, .strayOrLate])
            seeLateResponse()
            counted.late += 1
        case .competitorSuspected(let strays): try take([.competitor(strays)])
        case .unsolicitedMessage: try take([.unsolicited])
        case .broadcastResponse: try take([.broadcastResponse])
        case .closedEarly: try take([.closedEarly], "a failed connection was forgiven")
        case .sendingAgain(let id):
            try take(serials[id].map { [.again($0)] } ?? [], "4: a request is to be sent again that may not be")
            counted.sentAgain += 1
        case .sharing(let id, let other):
            try checkSharing(id, with: other, at: now)
        case .closingIdle, .renewing:
            step.reported.append(report)
        case .ready(let id):
            try expect(link?.id == id && link?.isReady == true, "a connection was called ready that is not")
        case .connectTimedOut(let id):
            try expect(link?.id == id && link?.isOverdue == true, "a connection attempt was called overdue that is not")
        case .responseTimedOut(let request, _):
            try take(naming: request) { if case .timedOut(let waiters) = $0 { waiters } else { nil } }
        case .responseDamaged(_, let request):
            try take(naming: request) { if case .damaged(let waiters) = $0 { waiters } else { nil } }
        case .wideValues: try take([.wide])
        case .noise(let bytes): try take([.noise(bytes)])
        case .mismatchRecognised(let pattern): try take([.mismatch(pattern)], "a device was blamed for nothing")
        case .oldConnectionCounted(let delay): try take([.counted(delay)], "a device was waited for without a reason")
        case .oldConnectionForgotten(let time): try take([.forgotten(time)])
        case .drainOverdue(let count): try take([.drainOverdue(count)])
        case .resumed: try take([.resumed])
        case .heldBack(let request, let delay):
            try take(naming: request, "a request is held back for nothing") { due in
                if case .heldBack(let waiters, delay) = due { waiters } else { nil }
            }
        case .connectionLost, .replacingConnection, .closedUnused, .respondsAgain, .lastResponse:
            break
        }
    }

    private mutating func take(
        _ accepted: [Due],
        _ promise: String = "something was reported that did not happen"
    ) throws(Violation) {
        guard let index = step.due.firstIndex(where: accepted.contains) else { throw Violation(promise) }
        step.due.remove(at: index)
    }

    /// Takes what is due of a flight, whose waiters `waiters` finds in it.
    private mutating func take(
        naming request: RequestID?,
        _ promise: String = "something was reported that did not happen",
        _ waiters: (Due) -> [Int]?
    ) throws(Violation) {
        guard let index = step.due.firstIndex(where: { waiters($0).map { isNamed(request, of: $0) } ?? false }) else {
            throw Violation(step.due.contains { waiters($0) != nil } ? "1: a report names another's request" : promise)
        }
        step.due.remove(at: index)
    }

    /// Whether a report names a flight with these waiters: by one of them, or by none where all are gone.
    func isNamed(_ request: RequestID?, of waiters: [Int]) -> Bool {
        guard let request else { return waiters.isEmpty }
        return serials[request].map(waiters.contains) ?? false
    }
}
