import Logging
import MultiplexerCore
import NIOCore

/// Says in the log what becomes of a listener's clients.
///
/// A flood of clients is no flood of lines: of what repeats only some are told, the others on demand.
final class ClientLog: ListenerReportReader {
    private let logger: Logger
    /// Those that the lines speak of.
    var limits: ClientLimits
    private var strangers = each
    private var refusals = LogThrottleByKind<RefusalKind>(each)
    private var fullListener = LogThrottle(perMinute: 1)
    private var fullAddress = LogThrottle(perMinute: 1)
    private var evictions = LogThrottle(perMinute: 1)
    private var acceptErrors = LogThrottle(perMinute: 1)
    private var slowRequests = LogThrottle(perMinute: 1)
    private var slowReaders = LogThrottle(perMinute: 1)

    /// Each of these lines names another client, and is wanted as long as they are few.
    private static let each = LogThrottle(burst: 100, perMinute: 10)

    /// A log of a listener with these limits.
    init(_ logger: Logger, limits: ClientLimits) {
        self.logger = logger
        self.limits = limits
    }

    func read(_ report: ListenerReport) {
        switch report {
        case .connected(let client): client.info("client connected")
        case .left(let client): client.info("client left")
        case .failed(let error, let client):
            client.info("client connection failed", metadata: ["reason": "\(error)"])
        case .refused(let refusal, let client): refused(refusal, client)
        case .notAllowed(let client): notAllowed(client)
        case .allowedNoMore(let client): allowedNoMore(client)
        case .trustedNoMore(let refusal, let client): trustedNoMore(refusal, client)
        case .dismissed(let client):
            client.info(
                "client closed",
                metadata: ["reason": "its listener was closed, or its clients speak otherwise now"]
            )
        case .full(let refusal, let client): full(refusal, client)
        case .shed(let client): shed(client)
        case .requestTimedOut(let client): requestTimedOut(client)
        case .writeTimedOut(let unsent, let client): writeTimedOut(unsent: unsent, client)
        case .idled(let client):
            client.info("client closed", metadata: ["reason": "it sent no request for the client idle timeout"])
        case .acceptPaused(let error): acceptPaused(error)
        case .acceptFailed(let error):
            logger.error(
                "no client is accepted any more",
                metadata: ["reason": "\((error as? IOError)?.words ?? "\(error)")", "remedy": "restart the server"]
            )
        }
    }

    private func notAllowed(_ client: String) {
        let isDue = strangers.count()
        say(
            "client refused",
            isDue,
            [
                "client": "\(client)", "reason": "its address is not on the allow-list",
                "remedy": .sentence("add it with \(.allow) if it may connect"),
            ].merging(Self.count(of: strangers)) { $1 }
        )
    }

    private func allowedNoMore(_ client: String) {
        let isDue = strangers.count()
        say(
            "client closed",
            isDue,
            ["client": "\(client)", "reason": "its address is not on the allow-list any more"]
                .merging(Self.count(of: strangers)) { $1 }
        )
    }

    private func trustedNoMore(_ refusal: any ClientRefusal, _ client: ClientLogger) {
        let (isDue, repetitions) = refusals.count(refusal.refusalKind)
        say(
            "client closed",
            isDue,
            ["reason": "\(refusal.reason)", "remedy": .sentence(refusal.remedy)]
                .merging(Self.count(of: repetitions)) { $1 },
            client
        )
    }

    private func full(_ refusal: Admission.Refusal, _ client: String) {
        switch refusal {
        case .listener:
            say(
                "client refused",
                fullListener.count(),
                [
                    "client": "\(client)",
                    "reason": "\(limits.clients) clients are connected, and all have sent requests",
                    "remedy": .sentence(
                        "let clients that are done disconnect, set \(.clientIdleTimeout), or raise \(.maxClients)"
                    ),
                    "so-far": "\(fullListener.total)",
                ]
            )
        case .address:
            say(
                "client refused",
                fullAddress.count(),
                [
                    "client": "\(client)",
                    "reason":
                        "\(limits.clientsPerAddress) clients are connected from its address, and all have sent requests",
                    "remedy":
                        .sentence(
                            "look for a program there that does not close its connections, or raise "
                                + "\(.maxClientsPerAddress)"
                        ),
                    "so-far": "\(fullAddress.total)",
                ]
            )
        }
    }

    private func shed(_ client: String) {
        say(
            "closed a client that had sent no request, to make room for another",
            evictions.count(),
            [
                "client": "\(client)", "clients": "\(limits.clients)", "per-address": "\(limits.clientsPerAddress)",
                "remedy": .sentence(
                    "look for a program that connects and says nothing; keep strangers out with \(.allow)"
                ),
                "so-far": "\(evictions.total)",
            ]
        )
    }

    private func acceptPaused(_ error: any Error) {
        say(
            "no client can be accepted; trying again every second",
            acceptErrors.count(),
            [
                "reason": "\((error as? IOError)?.words ?? "\(error)")",
                "remedy": .sentence("raise the limit of open files (ulimit -n, LimitNOFILE=), or lower \(.maxClients)"),
                "so-far": "\(acceptErrors.total)",
            ],
            nil,
            .error
        )
    }

    private func refused(_ refusal: any ClientRefusal, _ client: ClientLogger) {
        let (isDue, repetitions) = refusals.count(refusal.refusalKind)
        say(
            "client refused",
            isDue,
            ["reason": "\(refusal.reason)", "remedy": .sentence(refusal.remedy)]
                .merging(Self.count(of: repetitions)) { $1 },
            client,
            refusal.isHarmless ? .info : .warning
        )
    }

    /// How many there were, where not all of them are told.
    private static func count(of repetitions: LogThrottle) -> Logger.Metadata {
        repetitions.hasUntold ? ["so-far": "\(repetitions.total)"] : [:]
    }

    private func requestTimedOut(_ logger: ClientLogger) {
        say(
            "client closed",
            slowRequests.count(),
            [
                "reason": "it began a request and did not finish it within \(limits.requestTimeout.shortText)",
                "remedy": .sentence("look at the client and its network, or raise \(.clientRequestTimeout)"),
                "so-far": "\(slowRequests.total)",
            ],
            logger
        )
    }

    private func writeTimedOut(unsent: Int, _ logger: ClientLogger) {
        say(
            "client closed",
            slowReaders.count(),
            [
                "reason": "it took nothing of its responses for \(limits.writeTimeout.shortText)",
                "unsent": "\(unsent)",
                "remedy": .sentence("look at the client and its network, or raise \(.clientWriteTimeout)"),
                "so-far": "\(slowReaders.total)",
            ],
            logger
        )
    }

    private func say(
        _ message: Logger.Message,
        _ isDue: Bool,
        _ metadata: Logger.Metadata,
        _ client: ClientLogger? = nil,
        _ level: Logger.Level = .warning
    ) {
        let level = isDue ? level : .debug
        guard logger.logLevel <= level else { return }
        (client?.logger ?? logger).log(level: level, message, metadata: metadata)
    }
}

@available(*, unavailable)
extension ClientLog: Sendable {}
