import Logging
import MultiplexerCore
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says in the log how the device is doing: a line when that changes, and repetitions only on demand.
struct DeviceLog {
    /// Why the last connection ended, from whoever saw it.
    var reason: (any Error)?

    private let device: DeviceAddress
    private let logger: Logger
    /// Whether the log's last word is that the device can be asked.
    private var isKnownReady = false
    private var strays = 0
    private var expirations = 0

    init(device: DeviceAddress, logger: Logger) {
        self.device = device
        self.logger = logger
    }

    mutating func write(_ report: Multiplexer.Report) {
        switch report {
        case .ready:
            logger.log(
                level: isKnownReady ? .info : .notice,
                "connected to the device",
                metadata: ["device": "\(device)"]
            )
            isKnownReady = true
            reason = nil
        case .backingOff(let attempt, let delay):
            isKnownReady = false
            logger.log(
                level: attempt == 1 ? .warning : .info,
                "the device cannot be reached; requests fail until it can",
                metadata: [
                    "device": "\(device)",
                    "reason": "\(reason.map(Self.words), default: "unknown")",
                    "attempt": "\(attempt)",
                    "retry-in": "\(delay.shortText)",
                ]
            )
        case .connectTimedOut:
            reason = DeviceSilence.connect
        case .connectionLost(let unanswered):
            logger.notice(
                "the device's connection ended; connecting again",
                metadata: [
                    "device": "\(device)",
                    "reason": "\(reason.map(Self.words), default: "unknown")",
                    "unanswered": "\(unanswered)",
                ]
            )
        case .responseTimedOut(let transactionID):
            logger.warning(
                "the device did not answer in time",
                metadata: ["device": "\(device)", "transaction": "\(transactionID)"]
            )
        case .replacingConnection:
            reason = DeviceSilence.response
            logger.notice(
                "replacing the device's connection, since a late response could be taken for another",
                metadata: ["device": "\(device)"]
            )
        case .strayResponse(let response):
            strays += 1
            logger.log(
                level: strays == 1 ? .warning : .debug,
                "dropped a response that answers nothing in flight: late, doubled, or another program's",
                metadata: ["device": "\(device)", "transaction": "\(response.transactionID)", "so-far": "\(strays)"]
            )
        }
    }

    /// A request's time ran out before its answer came, though the device answers.
    mutating func requestExpired() {
        expirations += 1
        logger.log(
            level: expirations == 1 ? .warning : .debug,
            "a request took longer than the queue timeout: clients ask more than the device can answer",
            metadata: ["device": "\(device)", "so-far": "\(expirations)"]
        )
    }

    private static func words(_ reason: any Error) -> String {
        guard let system = reason as? IOError else { return "\(reason)" }
        return String(cString: strerror(system.errnoCode))
    }
}

/// The device let a time pass.
private enum DeviceSilence: Error, CustomStringConvertible {
    case connect
    case response

    var description: String {
        switch self {
        case .connect: "it did not accept the connection in time"
        case .response: "it did not answer"
        }
    }
}
