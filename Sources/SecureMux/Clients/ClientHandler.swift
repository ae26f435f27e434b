import Logging
import MultiplexerCore
import NIOCore
import NIOTLS

/// One client: cuts its bytes into requests for the driver and writes what it gets.
///
/// The channel reads only when asked to (autoRead is off), and this handler asks only while the client may go on: its queue
/// has room and it takes its responses. So what a client can make us hold is bounded, whatever it does.
final class ClientHandler: ChannelInboundHandler, Client {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let wire: Wire
    /// The device's messages have another envelope than this client's.
    let isTranslated: Bool

    private let driver: MultiplexerDriver
    private let clients: AdmittedClients
    private let socket: ClientSocket
    /// No handler stands between.
    private let isAtSocket: Bool
    private let assembly: (any RequestAssembly)?
    private let awaitsHandshake: Bool
    private var logger: ClientLogger
    private var state = State.arriving
    private var context: ChannelHandlerContext?
    private var received = FrameBuffer()
    private var isKnownPlain: Bool
    /// The driver asked for no more requests.
    private var isPaused = false
    /// The client will send nothing more, or nothing that is heard, but waits for responses.
    private var hasEnded = false
    /// Requests given to the driver and not yet answered.
    private(set) var unanswered = 0
    /// Where the driver keeps the last of them.
    var latestRequest: UInt32?
    /// A whole request is here and kept back until the one before is answered.
    private var holdsRequest = false
    /// What the requests take that are not yet answered, about, and what of all its messages the listener knows of.
    private var unansweredBytes = 0
    private var notedBytes = 0
    private var patience = ClientPatience()
    private var sight = ClientPatience.Sight()
    /// The clock looks after us.
    private var isOnTrial = false

    private enum State {
        /// Not yet known to the driver. Exits: joined, closing.
        case arriving
        /// Sends requests. Exits: leaving, closing.
        case joined(ClientID)
        /// The driver has dismissed it: it gets what was written to it, then it is closed. Exits: closing.
        case leaving(ClientID)
        /// The driver knows it no more.
        case closing
    }

    /// A client that speaks `wire`, over TLS if it is to await a handshake.
    ///
    /// `assembly` is what may stand between it and `socket`; nothing does if it is at the socket.
    init(
        _ wire: Wire,
        awaitsHandshake: Bool,
        socket: ClientSocket,
        isAtSocket: Bool,
        assembly: (any RequestAssembly)?,
        clients: AdmittedClients,
        driver: MultiplexerDriver,
        logger: ClientLogger
    ) {
        self.wire = wire
        isTranslated = wire.isTranslated(to: driver.wire)
        self.awaitsHandshake = awaitsHandshake
        isKnownPlain = awaitsHandshake
        self.socket = socket
        self.isAtSocket = isAtSocket
        self.assembly = assembly
        self.clients = clients
        self.driver = driver
        self.logger = logger
    }

    /// The client's address, for the log.
    var name: Logger.MetadataValue { "\(logger.name)" }

    /// Writes a response.
    func write(_ frame: [UInt8]) {
        sight.responses += 1
        if isAtSocket {
            socket.send(frame)
        } else {
            context?.writeAndFlush(wrapOutboundOut(driver.buffer(frame)), promise: nil)
        }
        noteCompleted()
    }

    /// A request is over: answered, or a broadcast.
    func noteCompleted() {
        // They are answered in any order; on the average that is right.
        unansweredBytes -= unanswered > 1 ? unansweredBytes / unanswered : unansweredBytes
        unanswered -= 1
        // What was kept back until now may be the beginning of a request.
        if isRestDue { goOnTrial() }
        if notedBytes > 0 || !socket.isWritable { noteMemory() }
        if holdsRequest { proceedSoon() } else if hasEnded { closeIfAnswered() }
    }

    /// Takes no more requests.
    func pause() {
        isPaused = true
    }

    /// Takes requests again, from the loop's next turn on: while the driver carries out actions it could not pause us.
    func resume() {
        isPaused = false
        proceedSoon()
    }

    /// Closes the connection behind what was written before; the driver hears of its end.
    func dismiss() {
        guard case .joined(let client) = state else { return }
        state = .leaving(client)
        received.clear()
        closeAfterWrites()
    }

    /// Closes the connection behind what was written before; for the driver it ends now.
    func drop() {
        leave()
        closeAfterWrites()
    }

    /// Closes the connection at once and without a word: another client needs the place, or it may not be here any more.
    func cutOff() {
        leave()
        socket.cutOff()
    }

    private func closeAfterWrites() {
        guard let context else { return }
        // Whoever does not read must not keep the connection.
        let patience = min(Self.lastWritesTimeout, TimeAmount(clients.limits.writeTimeout))
        let limit = context.eventLoop.assumeIsolated().scheduleTask(in: patience) {
            context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            limit.cancel()
            context.close(promise: nil)
        }
    }

    private static let lastWritesTimeout = TimeAmount.seconds(2)

    // MARK: Requests

    /// The client's queue has room, and it takes its responses.
    private var hasRoom: Bool { !isPaused && socket.isWritable && context != nil }

    /// Whether the driver may have another request: where the client's wire has no ids, only their order tells responses
    /// apart, and a failure may come sooner than the response to an earlier request.
    private var mayAsk: Bool { wire.carriesTransactionIDs || unanswered == 0 }

    private func takeRequests() {
        guard case .joined = state, !refusedTLS() else { return }
        holdsRequest = false
        do {
            while case .joined(let client) = state, hasRoom,
                let length = try received.requestLength(on: wire)
            {
                isKnownPlain = true
                guard mayAsk else {
                    holdsRequest = true
                    return
                }
                guard let frame = received.cut(length) else { return }
                if sight.requests == 0, let channel = context?.channel { clients.spoke(channel) }
                sight.requests += 1
                unanswered += 1
                unansweredBytes += length
                driver.receiveRequest(frame, from: self, client)
            }
        } catch {
            // Part of a ClientHello may be enough to see that it is no request.
            if !isKnownPlain, received.beginsWithClientHello != false { return refuseTLS() }
            let remedy: Sentence = "let it speak the protocol that \(.clientProtocol) names"
            refuse(.notTheProtocol, "the client sent \(error)", remedy: remedy)
        }
    }

    /// Refuses a client that speaks TLS to a plain listener, whose framing might take that for requests.
    private func refusedTLS() -> Bool {
        guard !isKnownPlain, let isClientHello = received.beginsWithClientHello else { return false }
        isKnownPlain = true
        if isClientHello { refuseTLS() }
        return isClientHello
    }

    private func refuseTLS() {
        refuse(
            .unexpectedTLS,
            "the client speaks TLS, this listener does not",
            remedy: "give the client the TLS listener's port, or this listener a certificate"
        )
    }

    private func proceedSoon() {
        context?.eventLoop.assumeIsolated().execute { self.proceed() }
    }

    /// Goes on where a pause stopped: with what was read before, then with reading.
    private func proceed() {
        takeRequests()
        if isRestDue { goOnTrial() }
        readOn()
    }

    private func readOn() {
        guard case .joined = state, hasRoom, !holdsRequest else { return }
        if hasEnded {
            closeIfAnswered()
        } else {
            askToRead()
        }
    }

    private func askToRead() {
        if isAtSocket { socket.read() } else { context?.read() }
    }

    private func refuse(_ kind: RefusalKind, _ reason: String, remedy: Sentence) {
        clients.log.refused(kind, reason, remedy: remedy, logger)
        drop()
    }

    private func closeIfAnswered() {
        guard case .joined = state, unanswered == 0, hasRoom, !holdsRequest else { return }
        logger.info("client left")
        drop()
    }

    private func leave() {
        let known = state
        state = .closing
        received.clear()
        noteMemory()
        switch known {
        case .joined(let client), .leaving(let client): driver.leave(client)
        case .arriving, .closing: break
        }
    }
}

// MARK: - Its memory

extension ClientHandler {
    /// What a client's requests, and its responses, may take without being counted: much more than those of most protocols.
    private static let small = 32 << 10

    private var requestBytes: Int {
        guard case .joined = state else { return 0 }
        return received.readableBytes + unansweredBytes + (assembly?.heldBytes ?? 0)
    }

    /// What it has not taken of its responses, if that is much.
    private var responseBytes: Int {
        // As long as the channel is writable it is little.
        guard !socket.isWritable, context?.channel.isActive == true else { return 0 }
        return socket.unsent
    }

    /// Counts what large messages take; if that is too much together with those of others, whoever has the most is sent away.
    private func noteMemory() {
        let (requests, responses) = (requestBytes, responseBytes)
        let bytes = (requests > Self.small ? requests : 0) + (responses > Self.small ? responses : 0)
        guard bytes != notedBytes, let channel = context?.channel else { return }
        notedBytes = bytes
        clients.hold(bytes, by: channel)
    }

    /// Lets go of what its messages take: those of all clients together take too much, and this one's the most.
    func letGo() {
        let takesNothing = responseBytes > Self.small
        if !takesNothing, unansweredBytes <= Self.small, let assembly, assembly.isRestDue {
            return assembly.giveUp(.tooMuchWithOthers)
        }
        if case .joined = state {
            clients.log.refused(
                .tooMuchMemory,
                "the messages of all clients together take more than \(clients.limits.messageMemory) bytes, and those of "
                    + "this client the most",
                remedy: "look whether it reads its responses and finishes its requests, or raise \(.messageMemory)",
                logger
            )
        }
        leave()
        // What it does not take would stay.
        if takesNothing { socket.reset() } else { closeAfterWrites() }
    }
}

// MARK: - Its time

extension ClientHandler {
    /// Has the clock look after us, until nothing of ours can last too long.
    private func goOnTrial() {
        guard !isOnTrial, context != nil else { return }
        isOnTrial = true
        clients.clock.add(self)
    }

    /// Ends what has lasted too long, and stays on trial while there is anything left that may.
    func lookAfter(at now: NIODeadline) {
        isOnTrial = false
        guard context?.channel.isActive == true else { return }
        (sight.unsent, sight.taken) = socket.progress()
        noteMemory()
        sight.isAnswerDue = unanswered > 0 || holdsRequest
        sight.isRestDue = isRestDue
        if let excess = patience.judge(sight, within: clients.limits, at: now) { end(after: excess) }
        if patience.isOnTrial(within: clients.limits) { goOnTrial() }
    }

    private func end(after excess: ClientPatience.Excess) {
        switch (excess, state) {
        case (.write, _):
            clients.log.writeTimedOut(unsent: sight.unsent, logger)
            leave()
            socket.reset()
        case (.request, .joined):
            if let assembly, assembly.isRestDue { return assembly.giveUp(.late) }
            clients.log.requestTimedOut(logger)
            // What came whole before is answered.
            hasEnded = true
            received.clear()
            noteMemory()
            if unanswered == 0 { drop() }
        case (.idle, .joined):
            clients.log.idled(logger)
            drop()
        // It is being closed by other means.
        case (_, .arriving), (_, .leaving), (_, .closing):
            break
        }
    }

    /// Whether a request has begun, and it is not us who keep the rest from coming.
    private var isRestDue: Bool {
        guard case .joined = state, hasRoom, !holdsRequest else { return false }
        return !received.isEmpty || assembly?.isRestDue == true
    }
}

// MARK: - What the channel tells

extension ClientHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.onUntaken = { self.goOnTrial() }
        guard isAtSocket else { return }
        socket.attach(context)
        socket.onDelivery = { bytes, isEnd in
            self.receive(bytes)
            self.completeReading()
            if isEnd { self.endInput() }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        socket.detach()
    }

    func channelActive(context: ChannelHandlerContext) {
        if isAtSocket { socket.opened(context.channel) }
        if awaitsHandshake {
            context.read()
        } else {
            join(context)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if !isAtSocket || socket.take(bytes) { receive(bytes) }
    }

    private func receive(_ bytes: ByteBuffer) {
        // After the end only what a read brings that was under way.
        guard case .joined = state, !hasEnded else { return }
        received.append(bytes)
        // Before the device hears of it.
        noteMemory()
        takeRequests()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isAtSocket || socket.complete() { completeReading() }
    }

    private func completeReading() {
        if isRestDue { goOnTrial() }
        noteMemory()
        readOn()
    }

    private func endInput() {
        hasEnded = true
        closeIfAnswered()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isAtSocket { socket.writabilityChanged() }
        if socket.isWritable { proceedSoon() }
        if notedBytes > 0 { noteMemory() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let peer as TLSPeerIdentified:
            note(peer)
        case let event as TLSUserEvent:
            guard case .handshakeCompleted = event else { break }
            // In TLS 1.3 nothing of ours answers the client's last message, and its first request waits for that.
            socket.acknowledge()
            join(context)
        case let event as ChannelEvent where event == .inputClosed:
            if isAtSocket, !socket.end() { return }
            endInput()
        default:
            break
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isAtSocket { socket.closed() }
        if case .joined = state { logger.info("client left") }
        leave()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Why it is closed has been said.
        if case .closing = state, error is any ClientRefusal { return }
        guard let refusal = error as? any ClientRefusal else {
            logger.info("client connection failed", metadata: ["reason": "\(error)"])
            leave()
            context.close(promise: nil)
            return
        }
        // Whoever refuses closes the connection, once the client has had a chance to read why.
        clients.log.refused(
            refusal.refusalKind,
            refusal.reason,
            remedy: refusal.remedy,
            level: refusal.isHarmless ? .info : .warning,
            logger
        )
        leave()
    }

    /// Lets every further line of the log say who the client is.
    private func note(_ peer: TLSPeerIdentified) {
        logger[metadataKey: "tls"] = "\(peer.version)"
        guard let certificate = peer.certificate else { return }
        logger[metadataKey: "subject"] = "\(certificate.subject)"
        switch certificate.role {
        case .none: break
        case .one(let name): logger[metadataKey: "role"] = "\(name)"
        case .malformed: logger[metadataKey: "role"] = "malformed"
        }
    }

    private func join(_ context: ChannelHandlerContext) {
        guard case .arriving = state else { return }
        logger.info("client connected")
        let client = driver.join(self, from: context.channel.remoteAddress.flatMap { IPAddress($0)?.network })
        state = .joined(client)
        if patience.isOnTrial(within: clients.limits) { goOnTrial() }
        // A drain dismisses whoever joins; it could not do so before.
        guard !driver.isDraining else { return dismiss() }
        askToRead()
    }
}
