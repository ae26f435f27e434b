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

    private var multiplexer: Multiplexer
    /// The device's.
    let wire: Wire
    private let start = NIODeadline.now()

    /// By their slots.
    private var clients: [(any Client)?] = []
    private var freeSlots: [Int] = []
    private var lastClient: UInt32 = 0
    private var requests = RequestStore()
    private let makeLink: LinkFactory
    private var link: (any Link)?
    /// The request that the device is to answer next, where the wire has no ids.
    ///
    /// Kept here, since to ask the core for it would copy all of the core.
    private(set) var awaited: Request?

    /// Events that came up while actions of another one were being carried out.
    private var pending: Deque<(event: Multiplexer.Event, response: ByteBuffer?)> = []
    private var isHandling = false
    private var actions: [Multiplexer.Action] = []
    private var timer: Scheduled<Void>?
    private var drained: EventLoopPromise<Void>?
    /// The core has nothing left to drain.
    private var hasDrained = false
    /// How long the line must be quiet where nobody says so.
    private let quietTime: Duration

    /// Where frames are put together before they are written, again and again.
    private var frame: [UInt8] = []
    /// For its clients that come after other handlers.
    let output = ReusedBuffer()
    /// The responses that the core may want given again, by their slots.
    private var cachedResponses: [ByteBuffer] = []
    /// Reads all that happens to the device.
    private let reader: any DeviceReportReader
    /// Looked at when a client joins and when a deadline comes: to ask the logger costs each request more than it should.
    private var isTracing: Bool

    /// A driver for one device, which the log calls `device`, and to which `makeLink` makes connections.
    ///
    /// To be used on `eventLoop` alone. Unless it `mayConnect` it makes no connection before ``allowConnecting(isSameDevice:)``.
    init(
        device: String,
        applicationProtocol: ApplicationProtocol,
        configuration: Multiplexer.Configuration,
        mayConnect: Bool = true,
        eventLoop: any EventLoop,
        makeLink: @escaping LinkFactory,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.makeLink = makeLink
        self.logger = logger
        wire = applicationProtocol.wire
        var configuration = configuration
        configuration.carriesTransactionIDs = wire.carriesTransactionIDs
        quietTime = applicationProtocol.quietTime
        configuration.quietTime = configuration.quietTime ?? quietTime
        multiplexer = Multiplexer(
            configuration: configuration,
            seed: .random(in: .min ... .max),
            mayConnect: mayConnect
        )
        reader = DeviceLog(device: device, logger: logger)
        isTracing = logger.logLevel <= .debug
    }

    /// Whether everyone is being sent away.
    var isDraining: Bool { drained != nil }

    /// What has happened so far.
    var statistics: Multiplexer.Statistics { multiplexer.statistics }

    /// Has other times and limits hold from now on; what is under way keeps its deadlines.
    func replaceConfiguration(by configuration: Multiplexer.Configuration) {
        var configuration = configuration
        configuration.quietTime = configuration.quietTime ?? quietTime
        handle(.configurationReplaced(configuration))
    }

    /// Nobody else has a connection any more; with `isSameDevice` the device had one until now.
    func allowConnecting(isSameDevice: Bool) { handle(.connectingAllowed(isSameDevice: isSameDevice)) }

    /// Leaves the device to somebody else for this long, or until ``resume()``: what is in flight is finished, then the connection
    /// is closed, and requests fail.
    func release(for duration: Duration?) {
        reader.read(.released(duration))
        handle(.released(for: duration))
    }

    /// The device is ours again.
    func resume() { handle(.resumed) }

    /// Stops taking requests and finishes what is in flight; the future succeeds when nothing is left, or the time is up and
    /// nothing is left of the connection.
    func drain() -> EventLoopFuture<Void> {
        let promise = drained ?? eventLoop.makePromise()
        drained = promise
        reader.read(.stopping)
        handle(.drainRequested)
        return promise.futureResult
    }
}

// MARK: - What clients tell

extension MultiplexerDriver {
    /// A client may send requests; it comes from `origin`, the network that counts as one address.
    func join(_ session: any Client, from origin: IPAddress?) -> ClientID {
        isTracing = logger.logLevel <= .debug
        lastClient &+= 1
        let slot = freeSlots.popLast() ?? clients.count
        if slot == clients.count { clients.append(session) } else { clients[slot] = session }
        let client = ClientID(slot: slot, serial: lastClient)
        handle(.clientJoined(client, from: origin))
        return client
    }

    /// A client is gone.
    func leave(_ client: ClientID) {
        guard clients[client.slot] != nil else { return }
        clients[client.slot] = nil
        handle(.clientLeft(client))
    }

    /// A client sent a request.
    func receiveRequest(_ received: ByteBuffer, from session: any Client, _ client: ClientID) {
        let bytes = received.readableBytesUInt8Span
        let envelope = session.wire.envelope(of: bytes)
        let message = bytes.extracting(envelope.message)
        if let refusal = session.wire.refusal(of: message, to: session.isTranslated ? wire : nil, &frame) {
            refuse(message, envelope.transactionID, refusal, of: session)
            return
        }
        // Itself counts as unanswered already.
        if session.unanswered > 1, session.wire.carriesTransactionIDs,
            let same = requests.same(message, transactionID: envelope.transactionID, from: session)
        {
            if isTracing { trace("asked again", same) }
            handle(.requestRepeated(same))
            session.requestCompleted()
            return
        }
        let request = session.wire.request(message)
        let id = requests.insert(message, transactionID: envelope.transactionID, from: session)
        if isTracing { trace("request", id, ["asks": "\(session.wire.summary(ofRequest: message))"]) }
        handle(.requestReceived(id, request, from: client))
    }

    private func refuse(
        _ request: Span<UInt8>,
        _ transactionID: UInt16,
        _ refusal: RequestRefusal,
        of session: any Client
    ) {
        reader.read(.requestRefused(refusal, request: session.wire.summary(ofRequest: request), client: session.name))
        let wire = session.wire
        guard wire.request(request).expectsResponse else { return session.requestCompleted() }
        guard wire.respond(toRefused: request, refusal, transactionID: transactionID, into: &frame) else {
            return session.drop()
        }
        session.write(frame)
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
        if case .upstreamClosed(link?.id, _) = event { link = nil }
        multiplexer.handle(event, at: now, into: &actions)
        if !wire.carriesTransactionIDs { awaited = multiplexer.awaited }
        for action in actions {
            perform(action, response)
        }
        actions.removeAll(keepingCapacity: true)
        finishDrain()
        // Not before: what was just carried out may have named the client.
        if case .clientLeft(let client) = event { freeSlots.append(client.slot) }
    }

    private func finishDrain() {
        guard hasDrained, link == nil else { return }
        hasDrained = false
        drained?.succeed()
    }

    private var now: Duration { .nanoseconds((NIODeadline.now() - start).nanoseconds) }
}

// MARK: - What the device sent

extension MultiplexerDriver: LinkOwner {
    func linkConnected(_ link: LinkID) {
        handle(.upstreamConnected(link))
    }

    func linkClosed(_ link: LinkID, reason: (any Error)?, midResponse: Bool) {
        if let reason { reader.read(.linkEnded(reason)) }
        handle(.upstreamClosed(link, midResponse: midResponse))
    }

    func requestUnsent(_ request: RequestID, on link: LinkID) {
        handle(.requestUnsent(request, on: link))
    }

    func receiveResponse(_ frame: ByteBuffer, on link: LinkID) {
        let response = wire.response(in: frame.readableBytesUInt8Span)
        handle(.responseReceived(response, on: link), response: frame)
    }

    func receiveDamagedResponse(_ damage: ResponseDamage, on link: LinkID) {
        handle(.responseDamaged(damage, on: link))
    }

    func receiveNoise(bytes: Int, on link: LinkID) {
        handle(.noiseReceived(bytes: bytes, on: link))
    }
}

// MARK: - What the core wants done

extension MultiplexerDriver {
    private func perform(_ action: Multiplexer.Action, _ response: ByteBuffer?) {
        switch action {
        case .send(let request, let transactionID):
            if isTracing { trace("sent", request, ["transaction": "\(transactionID)"]) }
            send(request, transactionID)
        case .respond(let request, _):
            if let response {
                if isTracing { traceResponse(request, response) }
                respond(request, response)
            }
            requests.remove(request)
        case .cacheResponse(let slot):
            if let response { cache(response, in: slot) }
        case .respondCached(let request, let slot, let age, _):
            if isTracing { trace("answered from memory", request, ["age": "\(age.readableText)"]) }
            respond(request, cachedResponses[slot])
            requests.remove(request)
        case .fail(let request, let failure, _):
            if isTracing { trace("failed", request, ["failure": "\(failure)"]) }
            if failure == .expired { reader.read(.requestExpired(words(for: request))) }
            fail(request, failure)
            requests.remove(request)
        case .complete(let request, _):
            if isTracing { trace("completed without a response", request) }
            requests.waiter(request)?.requestCompleted()
            requests.remove(request)
        case .discard(let request):
            requests.remove(request)
        case .pauseReading(let client):
            clients[client.slot]?.pause()
        case .resumeReading(let client):
            clients[client.slot]?.resume()
        case .closeClient(let client):
            clients[client.slot]?.dismiss()
        case .connect(let link):
            self.link = makeLink(link, self)
            self.link?.connect()
        case .disconnect:
            link?.close()
        case .setDeadline(let deadline):
            schedule(deadline)
        case .report(.sharing(let request, let other)):
            if isTracing {
                trace("shares an answer", request, ["with": "\(other.map { "\($0.rawValue)" } ?? Self.gone)"])
            }
        case .report(let report):
            reader.read(.core(report, about: report.request.map { words(for: $0) }))
        case .drained:
            timer?.cancel()
            link?.close()
            hasDrained = true
        }
    }

    /// The client and its request, in words; no client if all that asked have left.
    private func words(for request: RequestID?) -> DeviceReport.RequestWords {
        guard let request, let waiter = requests.waiter(request) else {
            return DeviceReport.RequestWords { ["request": "\(Self.gone)"] }
        }
        return DeviceReport.RequestWords { [requests] in
            [
                "client": waiter.name,
                "request": "\(waiter.wire.summary(ofRequest: requests.message(request).span))",
            ]
        }
    }

    private static let gone = "that of a client that has left"

    /// What the device made of a request: an answer or, where the protocol can say so, its failure.
    private func traceResponse(_ request: RequestID, _ response: ByteBuffer) {
        if let failure = wire.failure(in: response.readableBytesUInt8Span) {
            trace("exception", request, ["code": "\(failure)"])
        } else {
            trace("answered", request)
        }
    }

    /// Says what becomes of a request, for those who asked to see everything.
    private func trace(_ what: Logger.Message, _ id: RequestID, _ more: Logger.Metadata = [:]) {
        var metadata = more
        metadata["request"] = "\(id.rawValue)"
        metadata["client"] = requests.waiter(id)?.name
        logger.debug(what, metadata: metadata)
    }

    private func send(_ request: RequestID, _ transactionID: UInt16) {
        guard let link, let waiter = requests.waiter(request) else { return }
        let message = requests.message(request)
        waiter.wire.requestForDevice(message.span, speaking: wire, transactionID: transactionID, into: &frame)
        link.write(frame, of: request)
    }

    private func respond(_ request: RequestID, _ response: ByteBuffer) {
        guard let waiter = requests.waiter(request) else { return }
        let message = requests.message(request)
        let isReadable = waiter.wire.responseForClient(
            response.readableBytesUInt8Span,
            of: wire,
            respondingTo: message.span,
            transactionID: requests.transactionID(request),
            isTranslated: waiter.isTranslated,
            into: &frame
        )
        guard isReadable else {
            reader.read(.responseRefused)
            return fail(request, .connectionLost)
        }
        waiter.write(frame)
    }

    private func cache(_ response: ByteBuffer, in slot: Int) {
        while cachedResponses.count <= slot { cachedResponses.append(ByteBuffer()) }
        // A copy, since the channel reads into the response's memory again.
        cachedResponses[slot].clear()
        cachedResponses[slot].writeImmutableBuffer(response)
    }

    private func fail(_ request: RequestID, _ failure: Failure) {
        guard let waiter = requests.waiter(request) else { return }
        let message = requests.message(request)
        let transactionID = requests.transactionID(request)
        guard waiter.wire.respond(toFailed: message.span, failure, transactionID: transactionID, into: &frame) else {
            return waiter.drop()
        }
        waiter.write(frame)
    }

    private func reachDeadline() {
        isTracing = logger.logLevel <= .debug
        handle(.deadlineReached)
    }

    private func schedule(_ deadline: Duration) {
        // Rounded up: at the deadline, not just before it.
        schedule(at: start + TimeAmount(deadline) + .nanoseconds(1), isSecond: false)
    }

    private func schedule(at deadline: NIODeadline, isSecond: Bool) {
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            let isLate = NIODeadline.now() - deadline > Self.tolerance
            // The loop stood still: what the device has said meanwhile is read first, or it would be blamed for it.
            if isLate, !isSecond {
                self?.schedule(at: .now() + .milliseconds(1), isSecond: true)
            } else {
                self?.reachDeadline()
            }
        }
    }

    /// A deadline that comes so late was held up by something else.
    private static let tolerance = TimeAmount.milliseconds(100)
}
