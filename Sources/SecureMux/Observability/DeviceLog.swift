import Logging
import MultiplexerCore
import NIOCore

/// Says in the log how the device is doing.
///
/// A line when that changes; of what repeats, the 1st, 2nd, 4th, 8th … time, and the others on demand.
struct DeviceLog {
    /// Why the last connection ended, from whoever saw it.
    var reason: (any Error)?

    private let device: DeviceAddress
    private let logger: Logger
    private var connects = 0
    /// The device said that it would close the last connection.
    private var isClosedAsAnnounced = false
    private var losses = 0
    private var replacements = 0
    private var silences = 0
    private var strays = 0
    private var latecomers = 0
    private var suspicions = 0
    private var earlyCloses = 0
    private var repetitions = 0
    private var unsolicited = 0
    private var damages = 0
    private var answeredBroadcasts = 0
    private var refusals = 0
    private var refusedResponses = 0
    private var expirations = 0

    init(device: DeviceAddress, logger: Logger) {
        self.device = device
        self.logger = logger
    }

    mutating func write(_ report: Multiplexer.Report) {
        switch report {
        case .ready:
            connects += 1
            say("connected to the device", connects == 1 ? .notice : isClosedAsAnnounced ? .debug : .info)
            isClosedAsAnnounced = false
        case .answersAgain:
            say("the device answers again", .notice)
        case .backingOff(let attempt, let delay):
            say(
                "the device cannot be reached; requests fail until it can",
                attempt == 1 ? .warning : .info,
                ["reason": "\(words)", "attempt": "\(attempt)", "retry-in": "\(delay.shortText)"]
            )
        case .connectTimedOut:
            reason = DeviceFault.connect
        case .connectionLost(let unanswered):
            losses += 1
            say(
                "the device's connection ended; connecting again",
                level(of: losses, .notice),
                ["reason": "\(words)", "unanswered": "\(unanswered)", "so-far": "\(losses)"]
            )
        case .closedUnasked:
            say("the device's idle connection ended; connecting at the next request", .info, ["reason": "\(words)"])
        case .closedDuringDelay:
            earlyCloses += 1
            say(
                "the device closed the connection during the delay after connect; connecting again",
                level(of: earlyCloses, .notice),
                [
                    "remedy": "if it always does so, give a shorter --delay, or none", "so-far": "\(earlyCloses)",
                ]
            )
        case .closingIdle:
            say("closing the device's idle connection; connecting at the next request", .debug)
        case .renewing:
            say("renewing the device's connection, since it is old", .debug)
        case .sendingAgain:
            repetitions += 1
            say(
                "the connection ended before an answer began; the request is sent once more",
                level(of: repetitions, .info),
                ["so-far": "\(repetitions)"]
            )
        case .responseTimedOut(let transactionID):
            silences += 1
            say(
                "the device did not answer in time",
                level(of: silences, .warning),
                ["transaction": "\(transactionID)", "so-far": "\(silences)"]
            )
        case .replacingConnection(_, let cause):
            replacements += 1
            reason = cause == .stray ? DeviceFault.excess : .silence
            say(
                cause == .stray
                    ? "replacing the device's connection, since it sent more than it was asked for"
                    : "replacing the device's connection, since it does not answer",
                level(of: replacements, .notice),
                ["so-far": "\(replacements)"]
            )
        case .lastResponse:
            // Some devices say so with each answer: that would be two lines for each.
            isClosedAsAnnounced = true
        case .unsolicitedMessage:
            unsolicited += 1
            say(
                "dropped a message that the device sent of its own accord",
                level(of: unsolicited, .notice),
                ["so-far": "\(unsolicited)"]
            )
        case .broadcastAnswered:
            answeredBroadcasts += 1
            say(
                "the device answers its unit 0, which was taken for a broadcast",
                level(of: answeredBroadcasts, .warning),
                ["remedy": "give --no-broadcast, and clients get these answers", "so-far": "\(answeredBroadcasts)"]
            )
        case .responseDamaged:
            damages += 1
            say(
                "an answer of the device came damaged; its request fails",
                level(of: damages, .warning),
                ["remedy": "look at the wiring, termination and baud rate of its serial line", "so-far": "\(damages)"]
            )
        case .lateResponse(let response):
            latecomers += 1
            say(
                "dropped a response that came after its request had timed out",
                level(of: latecomers, .notice),
                [
                    "transaction": "\(response.transactionID)",
                    "remedy": "if the device is often so slow, give a longer --timeout", "so-far": "\(latecomers)",
                ]
            )
        case .competitorSuspected(let strays):
            suspicions += 1
            say(
                "another program probably talks to the device directly: responses come that nobody here asked for",
                level(of: suspicions, .warning),
                [
                    "in-a-row": "\(strays)", "remedy": "let that program connect to tcp-multiplexer instead",
                    "so-far": "\(suspicions)",
                ]
            )
        case .strayResponse(let response):
            strays += 1
            say(
                "dropped a response that answers nothing in flight: late, doubled, or another program's",
                level(of: strays, .warning),
                ["transaction": "\(response.transactionID)", "so-far": "\(strays)"]
            )
        }
    }

    /// A request's time ran out before its answer came.
    mutating func requestExpired() {
        expirations += 1
        say(
            "a request took longer than the queue timeout",
            level(of: expirations, .warning),
            ["so-far": "\(expirations)"]
        )
    }

    /// A client's request cannot be put on the device's wire.
    mutating func requestRefused(from client: Logger.MetadataValue) {
        refusals += 1
        say(
            "refused a request whose length contradicts itself: the device could take it for two",
            level(of: refusals, .warning),
            ["client": client, "remedy": "correct or remove the client", "so-far": "\(refusals)"]
        )
    }

    /// A response of the device cannot be put on its client's wire.
    mutating func responseRefused() {
        refusedResponses += 1
        say(
            "dropped a response whose length contradicts itself: the client could take it for two",
            level(of: refusedResponses, .warning),
            ["so-far": "\(refusedResponses)"]
        )
    }

    private func say(_ message: Logger.Message, _ level: Logger.Level, _ more: Logger.Metadata = [:]) {
        logger.log(level: level, message, metadata: more.merging(["device": "\(device)"]) { given, _ in given })
    }

    private func level(of count: Int, _ level: Logger.Level) -> Logger.Level {
        count & (count - 1) == 0 ? level : .debug
    }

    private var words: String {
        guard let reason else { return "unknown" }
        return (reason as? IOError)?.words ?? "\(reason)"
    }
}

/// What the device did that no error of the system tells.
private enum DeviceFault: Error, CustomStringConvertible {
    case connect
    case silence
    case excess

    var description: String {
        switch self {
        case .connect: "it did not accept the connection in time"
        case .silence: "it did not answer"
        case .excess: "it sent more than it was asked for"
        }
    }
}
