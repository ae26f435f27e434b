import Logging
import MultiplexerCore
import NIOCore

/// Says in the log how the device is doing.
///
/// A line when that changes; of what repeats, the 1st, 2nd, 4th, 8th … time, and the others on demand.
final class DeviceLog: DeviceReportReader {
    /// Why the last connection ended, from whoever saw it.
    private var reason: (any Error)?
    /// Whether the server stops, so that no connection follows the last one.
    private var isStopping = false

    /// What it is called.
    private let device: String
    private let logger: Logger
    private var connects = LogThrottle(burst: 16)
    /// The device said that it would close the last connection.
    private var isClosedAsAnnounced = false
    /// Outages that follow each other closely are those of a device that answers now and then.
    private var outages = LogThrottle(burst: 4)
    private var isOutageTold = false
    /// A request that timed out is in the log, and no answer since.
    private var isSilenceTold = false
    private var losses = LogThrottle()
    private var idleEnds = LogThrottle(burst: 16)
    private var replacements = LogThrottle()
    private var silences = LogThrottle()
    private var strays = LogThrottle()
    private var latecomers = LogThrottle()
    private var suspicions = LogThrottle()
    private var earlyCloses = LogThrottle()
    private var repetitions = LogThrottle()
    private var unsolicited = LogThrottle()
    private var damages = LogThrottle(burst: 4)
    private var noises = LogThrottle()
    private var countedConnections = LogThrottle()
    private var heldBack = LogThrottle(burst: 4)
    private var broadcastResponses = LogThrottle()
    private var refusals: [RequestRefusal: LogThrottle] = [:]
    private var refusedResponses = LogThrottle()
    private var expirations = LogThrottle()

    init(device: String, logger: Logger) {
        self.device = device
        self.logger = logger
    }

    func read(_ report: DeviceReport) {
        switch report {
        case .core(.responseTimedOut(_, let transactionID), let words): responseTimedOut(transactionID, words)
        case .core(.responseDamaged(let damage, _), let words): responseDamaged(damage, words)
        case .core(.heldBack(_, let delay), let words): heldBack(for: delay, words)
        case .core(let report, _): write(report)
        case .requestExpired(let words): requestExpired(words)
        case .requestRefused(let refusal, let request, let client): requestRefused(refusal, request, from: client)
        case .responseRefused: responseRefused()
        case .linkEnded(let error): reason = error
        case .stopping: isStopping = true
        case .released(let duration):
            let until = duration.map { "for \($0.shortText)" } ?? "until it is resumed"
            say("the device is left to somebody else; requests fail meanwhile", .notice, ["time": "\(until)"])
        }
    }

    private func write(_ report: Multiplexer.Report) {
        switch report {
        case .ready:
            let isDue = connects.count()
            let level = connects.total == 1 ? Logger.Level.notice : .info
            say("connected to the device", isDue && !isClosedAsAnnounced ? level : .debug)
            isClosedAsAnnounced = false
        // The driver tells of it, to those who asked to see everything.
        case .sharing:
            break
        case .respondsAgain:
            say("the device answers again", isOutageTold || isSilenceTold ? .notice : .debug)
            (isOutageTold, isSilenceTold) = (false, false)
        case .backingOff(let attempt, let delay):
            if attempt == 1 { isOutageTold = outages.count() }
            say(
                "the device cannot be reached; requests fail until it can",
                isOutageTold ? attempt == 1 ? .warning : .info : .debug,
                ["reason": "\(words)", "attempt": "\(attempt)", "retry-in": "\(delay.readableText)"]
            )
        case .connectTimedOut:
            reason = ConnectionFault.connect
        case .connectionLost(let unanswered):
            let isDue = losses.count()
            say(
                isStopping ? "the device's connection ended" : "the device's connection ended; connecting again",
                isDue ? .notice : .debug,
                ["reason": "\(words)", "unanswered": "\(unanswered)", "so-far": "\(losses.total)"]
            )
        case .closedUnused:
            let isDue = idleEnds.count()
            say(
                "the device's idle connection ended; connecting at the next request",
                isDue ? .info : .debug,
                ["reason": "\(words)", "so-far": "\(idleEnds.total)"]
            )
        case .closedEarly:
            let isDue = earlyCloses.count()
            say(
                "the device closed the connection before it was asked anything; connecting again",
                isDue ? .notice : .debug,
                [
                    "reason": "\(words)",
                    "remedy":
                        .sentence(
                            "if it always does so, another program may hold its only connection, or \(.delay) and "
                                + "\(.gap) are too long"
                        ),
                    "so-far": "\(earlyCloses.total)",
                ]
            )
        case .closingIdle:
            say("closing the device's idle connection; connecting at the next request", .debug)
        case .renewing:
            say("renewing the device's connection, since it is old", .debug)
        case .sendingAgain:
            let isDue = repetitions.count()
            say(
                "a request that got no right answer is sent once more",
                isDue ? .info : .debug,
                ["so-far": "\(repetitions.total)"]
            )
        case .replacingConnection(_, let cause):
            let isDue = replacements.count()
            reason = ConnectionFault(cause)
            say(
                "replacing the device's connection, since \(ConnectionFault(cause))",
                isDue ? .notice : .debug,
                ["so-far": "\(replacements.total)"]
            )
        case .resumed:
            say("the device is ours again", .notice)
        case .drainOverdue(let requests):
            say(
                "the time to finish is over: what the device has not answered fails",
                .warning,
                [
                    "requests": "\(requests)",
                    "remedy": .sentence("if the device is often so slow, give a longer \(.drainTimeout)"),
                ]
            )
        case .lastResponse:
            // Some devices say so with each answer: that would be two lines for each.
            isClosedAsAnnounced = true
        case .unsolicitedMessage:
            let isDue = unsolicited.count()
            say(
                "dropped a message that the device sent of its own accord",
                isDue ? .notice : .debug,
                ["so-far": "\(unsolicited.total)"]
            )
        case .broadcastResponse:
            let isDue = broadcastResponses.count()
            say(
                "the device answers its unit 0, which was taken for a broadcast",
                isDue ? .warning : .debug,
                [
                    "remedy": .sentence("give \(.broadcast, false), and clients get these answers"),
                    "so-far": "\(broadcastResponses.total)",
                ]
            )
        case .wideValues(let bytes, let expected):
            say(
                "the device answers with more than was asked for, which is given on and never kept",
                .notice,
                ["bytes": "\(bytes)", "expected": "\(expected)"]
            )
        case .noise(let bytes):
            let isDue = noises.count()
            say(
                "dropped bytes that belong to no message",
                isDue ? .notice : .debug,
                [
                    "bytes": "\(bytes)",
                    "remedy": "look at the termination and bias of the serial line if there are many",
                    "so-far": "\(noises.total)",
                ]
            )
        case .mismatchRecognised(let pattern):
            say("\(pattern.words)", .warning, ["remedy": .sentence(pattern.remedy)])
        case .oldConnectionCounted(let delay):
            let isDue = countedConnections.count()
            say(
                "the device does not take a connection so soon after the last one: it probably still counts that",
                isDue ? .notice : .debug,
                [
                    "reason": "\(words)", "retry-in": "\(delay.readableText)",
                    "remedy":
                        .sentence(
                            "give a longer \(.linger), so that the connection outlasts clients that come and go, or "
                                + "\(.settle)"
                        ),
                    "so-far": "\(countedConnections.total)",
                ]
            )
        case .oldConnectionForgotten(let time):
            say(
                "the device took a new connection again",
                countedConnections.hasUntold ? .debug : .notice,
                ["after": "\(time.readableText)"]
            )
        // They name a request, and are read above.
        case .heldBack, .responseTimedOut, .responseDamaged:
            break
        case .lateResponse(let response):
            let isDue = latecomers.count()
            say(
                "dropped a response that came after its request had timed out",
                isDue ? .notice : .debug,
                [
                    "transaction": "\(response.transactionID)",
                    "remedy": .sentence("if the device is often so slow, give a longer \(.timeout)"),
                    "so-far": "\(latecomers.total)",
                ]
            )
        case .competitorSuspected(let strays):
            let isDue = suspicions.count()
            say(
                "another program probably talks to the device directly, or it answers several times: nobody here asked for that",
                isDue ? .warning : .debug,
                [
                    "in-a-row": "\(strays)", "remedy": "let that program connect to tcp-multiplexer instead",
                    "so-far": "\(suspicions.total)",
                ]
            )
        case .strayResponse(let response):
            let isDue = strays.count()
            say(
                "dropped a response that answers nothing in flight",
                isDue ? .warning : .debug,
                ["transaction": "\(response.transactionID)", "so-far": "\(strays.total)"]
            )
        }
    }

    private func responseTimedOut(_ transactionID: UInt16, _ asked: DeviceReport.RequestWords?) {
        let isDue = silences.count()
        if isDue { isSilenceTold = true }
        say(
            "the device did not answer in time",
            isDue ? .warning : .debug,
            [
                "transaction": "\(transactionID)",
                "remedy": .sentence("give a longer \(.timeout) if the device is merely slow"),
                "so-far": "\(silences.total)",
            ],
            asked
        )
    }

    private func requestExpired(_ asked: DeviceReport.RequestWords) {
        let isDue = expirations.count()
        say(
            "a request took longer than the queue timeout",
            isDue ? .warning : .debug,
            [
                "remedy": .sentence("let clients ask less often, or give a longer \(.queueTimeout)"),
                "so-far": "\(expirations.total)",
            ],
            asked
        )
    }

    private func requestRefused(_ refusal: RequestRefusal, _ request: String, from client: Logger.MetadataValue) {
        let isDue = refusals[refusal, default: LogThrottle()].count()
        say(
            "refused a request with \(refusal)",
            isDue ? .warning : .debug,
            [
                "client": client, "request": "\(request)", "remedy": "correct or remove the client",
                "so-far": "\(refusals[refusal]?.total ?? 0)",
            ]
        )
    }

    private func responseDamaged(_ damage: ResponseDamage, _ asked: DeviceReport.RequestWords?) {
        let isDue = damages.count()
        say(
            "an answer of the device came damaged: \(damage.cause.words)",
            isDue ? .warning : .debug,
            ["remedy": .sentence(damage.cause.remedy), "so-far": "\(damages.total)"],
            asked
        )
    }

    private func heldBack(for delay: Duration, _ asked: DeviceReport.RequestWords?) {
        let isDue = heldBack.count()
        say(
            "the device ended its connection each time that it was asked this; such requests fail for a while",
            isDue ? .warning : .debug,
            [
                "for": "\(delay.readableText)", "remedy": "ask the device only for what it has",
                "so-far": "\(heldBack.total)",
            ],
            asked
        )
    }

    private func responseRefused() {
        let isDue = refusedResponses.count()
        say(
            "dropped a response whose length contradicts itself: the client could take it for two",
            isDue ? .warning : .debug,
            ["so-far": "\(refusedResponses.total)"]
        )
    }

    private func say(
        _ message: Logger.Message,
        _ level: Logger.Level,
        _ more: Logger.Metadata = [:],
        _ asked: DeviceReport.RequestWords? = nil
    ) {
        guard logger.logLevel <= level else { return }
        let all = more.merging(["device": "\(device)"]) { given, _ in given }.merging(asked?.metadata() ?? [:]) {
            given,
            _ in given
        }
        logger.log(level: level, message, metadata: all)
    }

    private var words: String {
        guard let reason else { return "unknown" }
        return (reason as? IOError)?.words ?? "\(reason)"
    }
}

/// What the device did that no error of the system tells.
private enum ConnectionFault: Error, CustomStringConvertible {
    case connect
    case silence
    case excess
    case damage

    init(_ cause: Multiplexer.ReplacementCause) {
        self =
            switch cause {
            case .silence: .silence
            case .stray: .excess
            case .damage: .damage
            }
    }

    var description: String {
        switch self {
        case .connect: "it did not accept the connection in time"
        case .silence: "it did not answer"
        case .excess: "it sent more than it was asked for"
        case .damage: "its messages cannot be told apart any longer"
        }
    }
}
