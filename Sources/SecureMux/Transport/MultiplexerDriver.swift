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
    let handshakePace: HandshakePace

    private var multiplexer: Multiplexer
    private let device: DeviceAddress
    private let deviceProtocol: ApplicationProtocol
    /// The device's.
    let framing: any Framing
    private let rules: any MessageRules
    private let carriesTransactionIDs: Bool
    private let start = NIODeadline.now()

    /// By their slots.
    private var clients: [ClientHandler?] = []
    private var freeSlots: [Int] = []
    private var lastClient: UInt32 = 0
    private var requests = RequestStore()
    private var upstream: UpstreamConnection?
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

    /// Where frames are put together before they are written, again and again.
    private var frame: [UInt8] = []
    private var output = ByteBuffer()
    /// The responses that the core may want given again, by their places.
    private var keptResponses: [ByteBuffer] = []
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
        handshakePace = HandshakePace(eventLoop)
        self.logger = logger
        self.device = device
        self.deviceProtocol = applicationProtocol
        framing = applicationProtocol.framing
        rules = applicationProtocol.messageRules
        carriesTransactionIDs = framing.carriesTransactionIDs
        var configuration = configuration
        configuration.carriesTransactionIDs = carriesTransactionIDs
        configuration.quietTime = configuration.quietTime ?? applicationProtocol.quietTime
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
    /// A client may send requests; it comes from `origin`, the network that counts as one address.
    func join(_ handler: ClientHandler, from origin: IPAddress?) -> ClientID {
        lastClient &+= 1
        let slot = freeSlots.popLast() ?? clients.count
        if slot == clients.count { clients.append(handler) } else { clients[slot] = handler }
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
    func receiveRequest(_ frame: ByteBuffer, from handler: ClientHandler, _ client: ClientID) {
        let bytes = frame.readableBytesUInt8Span
        let envelope = handler.framing.envelope(of: bytes)
        let message = bytes.extracting(envelope.message)
        if let refusal = refusal(of: message, from: handler) {
            refuse(message, envelope.transactionID, refusal, of: handler)
            return
        }
        // Itself counts as unanswered already.
        if handler.unanswered > 1, handler.framing.carriesTransactionIDs,
            let same = requests.same(message, transactionID: envelope.transactionID, from: handler)
        {
            if isTracing { trace("asked again", same) }
            handle(.requestRepeated(same))
            handler.noteCompleted()
            return
        }
        let request = handler.rules.request(message)
        let id = requests.insert(message, transactionID: envelope.transactionID, from: handler)
        if isTracing { trace("request", id, ["asks": "\(handler.rules.summary(ofRequest: message))"]) }
        handle(.requestReceived(id, request, from: client))
    }

    /// Why a request is not for the device: it is not whole, or the device would not read it as one.
    private func refusal(of request: Span<UInt8>, from handler: ClientHandler) -> RequestRefusal? {
        if let refusal = handler.rules.refusal(of: request) { return refusal }
        guard handler.isTranslated else { return nil }
        beginFrame(in: framing)
        handler.rules.forward(request, into: &frame)
        framing.seal(&frame, transactionID: 0)
        return framing.isOneRequest(frame) ? nil : .wire
    }

    private func refuse(
        _ request: Span<UInt8>,
        _ transactionID: UInt16,
        _ refusal: RequestRefusal,
        of handler: ClientHandler
    ) {
        log.requestRefused(refusal, handler.rules.summary(ofRequest: request), from: handler.name)
        guard handler.rules.request(request).expectsResponse else { return handler.noteCompleted() }
        beginFrame(in: handler.framing)
        guard handler.rules.reply(toRefused: request, refusal, into: &frame) else { return handler.drop() }
        handler.framing.seal(&frame, transactionID: transactionID)
        handler.write(frame)
    }

    /// The connection to the device stands.
    func upstreamConnected(_ link: LinkID) {
        handle(.upstreamConnected(link))
    }

    /// The connection to the device is gone, for this reason if it was not asked for, perhaps in the midst of a message.
    func upstreamClosed(_ link: LinkID, reason: (any Error)?, midResponse: Bool) {
        if let reason { log.reason = reason }
        handle(.upstreamClosed(link, midResponse: midResponse))
    }

    /// No byte of a request left, since the connection has ended.
    func requestUnsent(_ request: RequestID, on link: LinkID) {
        handle(.requestUnsent(request, on: link))
    }

    /// The device sent a message.
    func receiveResponse(_ frame: ByteBuffer, on link: LinkID) {
        let bytes = frame.readableBytesUInt8Span
        let envelope = framing.envelope(of: bytes)
        var response = rules.response(bytes.extracting(envelope.message))
        response.transactionID = envelope.transactionID
        handle(.responseReceived(response, on: link), response: frame)
    }

    /// A message came that was an answer without doubt, and it is damaged.
    func receiveDamagedResponse(_ damage: ResponseDamage, on link: LinkID) {
        handle(.responseDamaged(damage, on: link))
    }

    /// Bytes came that are no message; they were dropped.
    func receiveNoise(bytes: Int, on link: LinkID) {
        handle(.noiseReceived(bytes: bytes, on: link))
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
        if case .upstreamClosed(upstream?.link, _) = event { upstream = nil }
        multiplexer.handle(event, at: now, into: &actions)
        if !carriesTransactionIDs { awaited = multiplexer.awaited }
        for action in actions {
            perform(action, response)
        }
        actions.removeAll(keepingCapacity: true)
        // Not before: what was just carried out may have named the client.
        if case .clientLeft(let client) = event { freeSlots.append(client.slot) }
    }

    private var now: Duration { .nanoseconds((NIODeadline.now() - start).nanoseconds) }
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
                if isTracing { traceAnswer(request, response) }
                respond(request, response)
            }
            requests.remove(request)
        case .keepResponse(let place):
            if let response { keep(response, at: place) }
        case .respondKept(let request, let place, let age, _):
            if isTracing { trace("answered from memory", request, ["age": "\(age.readableText)"]) }
            respond(request, keptResponses[place])
            requests.remove(request)
        case .fail(let request, let failure, _):
            if isTracing { trace("failed", request, ["failure": "\(failure)"]) }
            if failure == .expired { log.requestExpired(words(for: request)) }
            fail(request, failure)
            requests.remove(request)
        case .complete(let request, _):
            if isTracing { trace("completed without a response", request) }
            requests.asker(request)?.noteCompleted()
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
            upstream = UpstreamConnection(
                link,
                to: device,
                speaking: deviceProtocol,
                timeout: TimeAmount(multiplexer.configuration.connectTimeout),
                driver: self
            )
            upstream?.connect()
        case .disconnect:
            upstream?.close()
        case .setDeadline(let deadline):
            schedule(deadline)
        case .report(.sharing(let request, let other)):
            if isTracing {
                trace("shares an answer", request, ["with": "\(other.map { "\($0.rawValue)" } ?? Self.gone)"])
            }
        case .report(.responseTimedOut(let request, let transactionID)):
            log.responseTimedOut(transactionID, words(for: request))
        case .report(.responseDamaged(let damage, let request?)):
            log.responseDamaged(damage, words(for: request))
        case .report(.heldBack(let request, let delay)):
            log.heldBack(words(for: request), for: delay)
        case .report(let report):
            log.write(report)
        case .drained:
            timer?.cancel()
            upstream?.close()
            drained?.succeed()
        }
    }

    /// Who asked for what, for the log.
    private func words(for request: RequestID?) -> Logger.Metadata {
        guard let request, let asker = requests.asker(request) else { return ["request": "\(Self.gone)"] }
        return ["client": asker.name, "request": "\(asker.rules.summary(ofRequest: requests.message(request).span))"]
    }

    private static let gone = "that of a client that has left"

    /// What the device made of a request: an answer or, where the protocol can say so, its failure.
    private func traceAnswer(_ request: RequestID, _ response: ByteBuffer) {
        let bytes = response.readableBytesUInt8Span
        if let failure = rules.failure(in: bytes.extracting(framing.envelope(of: bytes).message)) {
            trace("exception", request, ["code": "\(failure)"])
        } else {
            trace("answered", request)
        }
    }

    /// Says what becomes of a request, for those who asked to see everything.
    private func trace(_ what: Logger.Message, _ id: RequestID, _ more: Logger.Metadata = [:]) {
        var metadata = more
        metadata["request"] = "\(id.rawValue)"
        metadata["client"] = requests.asker(id)?.name
        logger.debug(what, metadata: metadata)
    }

    private func send(_ request: RequestID, _ transactionID: UInt16) {
        guard let upstream, let asker = requests.asker(request) else { return }
        let message = requests.message(request)
        beginFrame(in: framing)
        asker.rules.forward(message.span, into: &frame)
        framing.seal(&frame, transactionID: transactionID)
        upstream.write(frame, of: request)
    }

    private func respond(_ request: RequestID, _ response: ByteBuffer) {
        guard let asker = requests.asker(request) else { return }
        let bytes = response.readableBytesUInt8Span
        let answer = bytes.extracting(framing.envelope(of: bytes).message)
        let message = requests.message(request)
        beginFrame(in: asker.framing)
        asker.rules.giveBack(answer, answering: message.span, into: &frame)
        asker.framing.seal(&frame, transactionID: requests.transactionID(request))
        guard !asker.isTranslated || asker.framing.isOneResponse(frame) else {
            log.responseRefused()
            return fail(request, .connectionLost)
        }
        asker.write(frame)
    }

    private func keep(_ response: ByteBuffer, at place: Int) {
        while keptResponses.count <= place { keptResponses.append(ByteBuffer()) }
        // A copy, since the channel reads into the response's memory again.
        keptResponses[place].clear()
        keptResponses[place].writeImmutableBuffer(response)
    }

    private func fail(_ request: RequestID, _ failure: Failure) {
        guard let asker = requests.asker(request) else { return }
        let message = requests.message(request)
        beginFrame(in: asker.framing)
        guard asker.rules.reply(toFailed: message.span, failure, into: &frame) else { return asker.drop() }
        asker.framing.seal(&frame, transactionID: requests.transactionID(request))
        asker.write(frame)
    }

    /// Empties `frame` but for what stands in front of a message.
    private func beginFrame(in framing: any Framing) {
        if frame.capacity > Self.keptCapacity { (frame, output) = ([], ByteBuffer()) }
        frame.removeAll(keepingCapacity: true)
        frame.append(contentsOf: repeatElement(0, count: framing.room))
    }

    /// The bytes in a buffer that is used again: once the socket took them its memory is ours alone.
    func buffer(_ bytes: [UInt8]) -> ByteBuffer {
        output.clear(minimumCapacity: bytes.count)
        output.writeBytes(bytes)
        return output
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
                self?.handle(.deadlineReached)
            }
        }
    }

    /// A deadline that comes so late was held up by something else.
    private static let tolerance = TimeAmount.milliseconds(100)
}
