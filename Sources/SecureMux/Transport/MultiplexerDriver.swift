import DequeModule
import Logging
import MultiplexerCore
import NIOCore

/// Runs the core of one device: brings it events, carries out its actions.
///
/// The driver, its clients' channels and the connection to the device all live on one event loop, so there is neither a lock
/// nor a hop between a request and its response. Not Sendable for the same reason.
final class MultiplexerDriver {
    let eventLoop: any EventLoop
    let logger: Logger
    /// What the TLS handlers of this loop share.
    let tlsScratch = TLSScratch()

    private var multiplexer: Multiplexer
    private let device: DeviceAddress
    private let deviceProtocol: ApplicationProtocol
    private let start = NIODeadline.now()

    private var clients: [ClientID: ClientHandler] = [:]
    private var lastClient: UInt64 = 0
    private var requests = RequestStore()
    private var upstream: UpstreamConnection?

    /// Events that came up while actions of another one were being carried out.
    private var pending: Deque<(event: Multiplexer.Event, response: ByteBuffer?)> = []
    private var isHandling = false
    private var actions: [Multiplexer.Action] = []
    private var timer: Scheduled<Void>?
    private var drained: EventLoopPromise<Void>?

    /// Where frames are put together before they are written; one each, used again and again.
    private var message: [UInt8] = []
    private var frame: [UInt8] = []
    private var output = ByteBuffer()
    /// After a large message the memory is given back.
    private static let keptCapacity = 4096

    private var log: DeviceLog
    private let isTracing: Bool

    /// A driver for one device.
    ///
    /// To be used on `eventLoop` alone.
    init(
        device: DeviceAddress,
        applicationProtocol: ApplicationProtocol,
        configuration: Multiplexer.Configuration,
        eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.device = device
        self.deviceProtocol = applicationProtocol
        var configuration = configuration
        configuration.carriesTransactionIDs = applicationProtocol.framing.carriesTransactionIDs
        multiplexer = Multiplexer(configuration: configuration, seed: .random(in: .min ... .max))
        log = DeviceLog(device: device, logger: logger)
        isTracing = logger.logLevel <= .debug
    }

    /// Whether everyone is being sent away.
    var isDraining: Bool { drained != nil }

    /// What has happened so far.
    var statistics: Multiplexer.Statistics { multiplexer.statistics }

    /// Stops taking requests and finishes what is in flight; the future succeeds when nothing is left or the time is up.
    func drain() -> EventLoopFuture<Void> {
        let promise = drained ?? eventLoop.makePromise()
        drained = promise
        handle(.drainRequested)
        return promise.futureResult
    }
}

// MARK: - What clients and the connection tell

extension MultiplexerDriver {
    /// A client may send requests.
    func join(_ handler: ClientHandler) -> ClientID {
        lastClient += 1
        let client = ClientID(rawValue: lastClient)
        clients[client] = handler
        handle(.clientJoined(client))
        return client
    }

    /// A client is gone.
    func leave(_ client: ClientID) {
        guard clients.removeValue(forKey: client) != nil else { return }
        handle(.clientLeft(client))
    }

    /// A client sent a request.
    func receiveRequest(_ frame: ByteBuffer, framing: any Framing, rules: any MessageRules, from client: ClientID) {
        let bytes = frame.readableBytesUInt8Span
        let message = bytes.extracting(framing.envelope(of: bytes).message)
        let request = rules.request(message)
        let id = requests.insert(frame)
        if isTracing { trace("request", id, client, ["asks": "\(rules.summary(ofRequest: message))"]) }
        handle(.requestReceived(id, request, from: client))
    }

    /// The connection to the device stands.
    func upstreamConnected(_ link: LinkID) {
        handle(.upstreamConnected(link))
    }

    /// The connection to the device is gone, for this reason if it was not asked for.
    func upstreamClosed(_ link: LinkID, reason: (any Error)?) {
        if let reason { log.reason = reason }
        if upstream?.link == link { upstream = nil }
        handle(.upstreamClosed(link))
    }

    /// The device sent a message.
    func receiveResponse(_ frame: ByteBuffer, on link: LinkID) {
        let bytes = frame.readableBytesUInt8Span
        let envelope = deviceProtocol.framing.envelope(of: bytes)
        var response = deviceProtocol.messageRules.response(bytes.extracting(envelope.message))
        response.transactionID = envelope.transactionID
        handle(.responseReceived(response, on: link), response: frame)
    }

    private func handle(_ event: Multiplexer.Event, response: ByteBuffer? = nil) {
        guard !isHandling else {
            pending.append((event, response))
            return
        }
        isHandling = true
        handleNow(event, response)
        while let next = pending.popFirst() {
            handleNow(next.event, next.response)
        }
        isHandling = false
    }

    private func handleNow(_ event: Multiplexer.Event, _ response: ByteBuffer?) {
        multiplexer.handle(event, at: now, into: &actions)
        for action in actions {
            perform(action, response)
        }
        actions.removeAll(keepingCapacity: true)
    }

    private var now: Duration { .nanoseconds((NIODeadline.now() - start).nanoseconds) }
}

// MARK: - What the core wants done

extension MultiplexerDriver {
    private func perform(_ action: Multiplexer.Action, _ response: ByteBuffer?) {
        switch action {
        case .send(let request, let transactionID):
            if isTracing { trace("sent", request, nil, ["transaction": "\(transactionID)"]) }
            send(request, transactionID)
        case .respond(let request, let client):
            if isTracing { trace("answered", request, client) }
            if let response { respond(request, client, response) }
            requests.remove(request)
        case .fail(let request, let failure, let client):
            if isTracing { trace("failed", request, client, ["failure": "\(failure)"]) }
            if failure == .expired { log.requestExpired() }
            fail(request, failure, client)
            requests.remove(request)
        case .discard(let request):
            requests.remove(request)
        case .pauseReading(let client):
            clients[client]?.pause()
        case .resumeReading(let client):
            clients[client]?.resume()
        case .closeClient(let client):
            clients[client]?.dismiss()
        case .connect(let link):
            upstream = UpstreamConnection(
                link,
                to: device,
                framing: deviceProtocol.framing,
                timeout: TimeAmount(multiplexer.configuration.connectTimeout),
                driver: self
            )
            upstream?.connect()
        case .disconnect:
            upstream?.close()
        case .setDeadline(let deadline):
            schedule(deadline)
        case .report(let report):
            log.write(report)
        case .drained:
            timer?.cancel()
            upstream?.close()
            drained?.succeed()
        }
    }

    /// Says what becomes of a request, for those who asked to see everything.
    private func trace(_ what: Logger.Message, _ id: RequestID, _ client: ClientID?, _ more: Logger.Metadata = [:]) {
        var metadata = more
        metadata["request"] = "\(id.rawValue)"
        if let client { metadata["client"] = clients[client]?.name }
        logger.debug(what, metadata: metadata)
    }

    private func send(_ request: RequestID, _ transactionID: UInt16) {
        frame.removeAll(keepingCapacity: true)
        requests.withFrame(request) { bytes in
            let envelope = deviceProtocol.framing.envelope(of: bytes)
            deviceProtocol.framing.seal(
                bytes.extracting(envelope.message),
                transactionID: transactionID,
                into: &frame
            )
        }
        upstream?.write(sealed())
    }

    private func respond(_ request: RequestID, _ client: ClientID, _ response: ByteBuffer) {
        guard let handler = clients[client] else { return }
        let bytes = response.readableBytesUInt8Span
        seal(bytes.extracting(deviceProtocol.framing.envelope(of: bytes).message), answering: request, handler.framing)
        handler.write(sealed())
    }

    private func fail(_ request: RequestID, _ failure: Failure, _ client: ClientID) {
        guard let handler = clients[client] else { return }
        message.removeAll(keepingCapacity: true)
        let canReply = requests.withFrame(request) { bytes in
            handler.rules.reply(
                toFailed: bytes.extracting(handler.framing.envelope(of: bytes).message),
                failure,
                into: &message
            )
        }
        guard canReply else {
            handler.drop()
            return
        }
        seal(message.span, answering: request, handler.framing)
        handler.write(sealed())
    }

    /// Puts a client's own transaction id around what it gets.
    private func seal(_ message: Span<UInt8>, answering request: RequestID, _ framing: any Framing) {
        frame.removeAll(keepingCapacity: true)
        let transactionID = requests.withFrame(request) { framing.envelope(of: $0).transactionID }
        framing.seal(message, transactionID: transactionID, into: &frame)
    }

    private func sealed() -> ByteBuffer {
        // Once the socket took the bytes the memory is ours alone again, and nothing is allocated here.
        output.clear(minimumCapacity: frame.count)
        output.writeBytes(frame)
        defer { if output.capacity > Self.keptCapacity { output = ByteBuffer() } }
        return output
    }

    private func schedule(_ deadline: Duration) {
        timer?.cancel()
        // Rounded up: at the deadline, not just before it.
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: start + TimeAmount(deadline) + .nanoseconds(1)) {
            [weak self] in
            self?.handle(.deadlineReached)
        }
    }
}
