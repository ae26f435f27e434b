import Logging
import MultiplexerCore
import NIOCore

/// One client from its connection to its end: gives its requests to the driver and writes what it gets.
///
/// It asks for more only while the client may go on: the driver has room for its requests and it takes its responses. So what a
/// client can make us hold is bounded, whatever it does. It knows of its channel what ``ClientPort`` and ``ClientSocket`` tell.
final class ClientSession: Client {
    let wire: Wire
    let isTranslated: Bool
    /// Where the driver keeps the last of the unanswered requests.
    var latestRequest: UInt32?

    private let driver: MultiplexerDriver
    let clients: AdmittedClients
    private let socket: ClientSocket
    private let assembly: (any RequestAssembly)?
    /// Nil without TLS.
    let tls: TLSHandler?
    private(set) var logger: ClientLogger
    private(set) var state = State.arriving
    /// Nil before the channel is set up and after it is gone.
    private var channel: (any Channel)?
    private var port: (any ClientPort)?
    private var ticket: Admission.Ticket?
    private var received = FrameBuffer()
    private var reader: RequestReader
    private(set) var account = ClientAccount()
    /// The sweep will check us.
    private var isWatched = false
    /// It is to go, which has been told: nothing more is read, and what it has asked is answered.
    var isDeparting = false

    enum State {
        /// Not yet known to the driver. Exits: joined, closing.
        case arriving
        /// Sends requests. Exits: leaving, closing.
        case joined(ClientID)
        /// The driver has dismissed it: it gets what was written to it, then it is closed. Exits: closing.
        case leaving(ClientID)
        /// The driver no longer knows it.
        case closing
    }

    /// A client that speaks `wire`, over TLS if there is a handler for it.
    ///
    /// `assembly` is what stands between it and `socket` and keeps parts of requests, if anything does.
    init(
        _ wire: Wire,
        tls: TLSHandler?,
        socket: ClientSocket,
        assembly: (any RequestAssembly)?,
        clients: AdmittedClients,
        driver: MultiplexerDriver,
        logger: ClientLogger
    ) {
        self.wire = wire
        isTranslated = wire.isTranslated(to: driver.wire)
        reader = RequestReader(wire, isOverTLS: tls != nil)
        self.tls = tls
        self.socket = socket
        self.assembly = assembly
        self.clients = clients
        self.driver = driver
        self.logger = logger
    }

    /// The client's address, for the log.
    var name: Logger.MetadataValue { "\(logger.name)" }

    var unanswered: Int { account.unanswered }

    var isJoined: Bool { if case .joined = state { true } else { false } }
}

// MARK: - Coming and going

extension ClientSession {
    /// The session has got its place in the channel.
    func stand(at port: any ClientPort, in channel: any Channel) {
        (self.port, self.channel) = (port, channel)
        ticket = clients.seat(self, of: channel)
        socket.output.onBackpressure = { self.watch() }
    }

    /// The channel is gone.
    func standNowhere() { (port, channel, ticket) = (nil, nil, nil) }

    /// The client may send requests.
    func join() {
        guard case .arriving = state, let channel else { return }
        clients.reports.tell(.connected(logger))
        let client = driver.join(self, from: channel.remoteAddress.flatMap { IPAddress($0)?.network })
        state = .joined(client)
        if account.isWatched(within: clients.limits) { watch() }
        // A drain dismisses whoever joins; it could not do so before.
        guard !driver.isDraining else { return dismiss() }
        port?.read()
    }

    /// The TLS handshake is complete.
    func joinOverTLS() {
        // In TLS 1.3 nothing of ours answers the client's last message, and its first request waits for that.
        socket.acknowledge()
        // It may have begun before other authorities were to be trusted.
        if let tls, let chain = tls.peerChain, let refusal = clients.refusal(of: chain, by: tls.context) {
            return failed(refusal: refusal)
        }
        join()
    }

    /// Lets every further line of the log say who the client is.
    func identify(_ peer: TLSPeerIdentified) {
        logger[metadataKey: "tls"] = "\(peer.version)"
        guard let certificate = peer.certificate else { return }
        logger[metadataKey: "subject"] = "\(certificate.subject)"
        switch certificate.role {
        case .none: break
        case .one(let name): logger[metadataKey: "role"] = "\(name)"
        case .malformed: logger[metadataKey: "role"] = "malformed"
        }
    }

    /// The connection has ended.
    func disconnected() {
        if isJoined, !isDeparting { clients.reports.tell(.left(logger)) }
        leave()
    }

    /// The connection failed, or a handler in front refuses the client.
    func failed(_ error: any Error) {
        // Why it is closed has been said.
        if case .closing = state, error is any ClientRefusal { return }
        guard let refusal = error as? any ClientRefusal else {
            clients.reports.tell(.failed(error, logger))
            leave()
            channel?.close(promise: nil)
            return
        }
        // Whoever refuses closes the connection, once the client has had a chance to read why.
        clients.reports.tell(.refused(refusal, logger))
        leave()
    }

    func dismiss() {
        guard case .joined(let client) = state else { return }
        state = .leaving(client)
        stopListening()
        closeAfterWrites()
    }

    func drop() {
        leave()
        closeAfterWrites()
    }

    /// Closes the connection at once and without a word: another client needs the place.
    func cutOff() {
        leave()
        socket.cutOff()
    }

    /// The handshake was complete, and the client is refused all the same.
    private func failed(refusal: any ClientRefusal) {
        clients.reports.tell(.refused(refusal, logger))
        leave()
        closeAfterWrites()
    }

    private func closeAfterWrites() {
        guard let channel else { return }
        // A client that does not read must not keep the connection.
        let timeout = min(Self.lastWritesTimeout, TimeAmount(clients.limits.writeTimeout))
        let limit = channel.eventLoop.assumeIsolated().scheduleTask(in: timeout) { channel.close(promise: nil) }
        channel.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { _ in
            limit.cancel()
            channel.close(promise: nil)
        }
    }

    private static let lastWritesTimeout = TimeAmount.seconds(2)

    private func closeIfComplete() {
        guard isJoined, account.unanswered == 0, takesResponses, reader.isOpen else { return }
        if !isDeparting { clients.reports.tell(.left(logger)) }
        drop()
    }

    /// Nothing that has come or still comes is heard.
    func stopListening() {
        reader.end()
        received.clear()
    }

    private func leave() {
        let known = state
        state = .closing
        stopListening()
        reserveMemory()
        switch known {
        case .joined(let client), .leaving(let client): driver.leave(client)
        case .arriving, .closing: break
        }
    }
}

// MARK: - Its requests and responses

extension ClientSession {
    /// Bytes of the client came.
    func receive(_ bytes: ByteBuffer) {
        // After the end only what a read brings that was under way.
        guard isJoined, !reader.hasEnded else { return }
        received.append(bytes)
        // Before the device hears of it.
        reserveMemory()
        forwardRequests()
    }

    /// All that had come was received.
    func completeReading() {
        if isRestDue { watch() }
        reserveMemory()
        readOn()
    }

    /// The client has ended its sending, and may wait for responses.
    func endInput() {
        reader.end()
        closeIfComplete()
    }

    /// The client takes less of its responses than there are, or takes them again.
    func writabilityChanged() {
        if takesResponses { proceedSoon() }
        if account.hasReserved { reserveMemory() }
    }

    func write(_ frame: [UInt8]) {
        account.responded()
        port?.write(frame)
        requestCompleted()
    }

    func requestCompleted() {
        account.completed()
        // The bytes kept back until now may be the beginning of a request.
        if isRestDue { watch() }
        if account.hasReserved || !takesResponses { reserveMemory() }
        if reader.hasWaitingRequest { proceedSoon() } else if reader.hasEnded { closeIfComplete() }
    }

    func pause() { reader.pause() }

    /// From the loop's next tick on: while the driver carries out actions it could not pause us.
    func resume() {
        reader.resume()
        proceedSoon()
    }

    /// Whether the client takes what is written to it.
    private var takesResponses: Bool { socket.output.isWritable }

    private func forwardRequests() {
        while case .joined(let client) = state, channel != nil, takesResponses {
            switch received.reading(by: &reader, unanswered: account.unanswered) {
            case .request(let length):
                guard let frame = received.cut(length) else { return }
                if account.asked(frame.readableBytes), let ticket { clients.sentRequest(ticket) }
                driver.receiveRequest(frame, from: self, client)
            case nil:
                return
            case .tls:
                refuse(.unexpectedTLS)
            case .unreadable(let error):
                refuse(.notTheProtocol(error))
            }
        }
    }

    private func refuse(_ refusal: UnwantedClient) {
        clients.reports.tell(.refused(refusal, logger))
        drop()
    }

    private func proceedSoon() {
        channel?.eventLoop.assumeIsolated().execute { self.proceed() }
    }

    /// Goes on where a pause stopped: with what was read before, then with reading.
    private func proceed() {
        forwardRequests()
        if isRestDue { watch() }
        readOn()
    }

    private func readOn() {
        guard isJoined, channel != nil, takesResponses, reader.isOpen else { return }
        if reader.hasEnded { closeIfComplete() } else { port?.read() }
    }
}

// MARK: - Its memory and time

extension ClientSession {
    private var requestBytes: Int {
        isJoined ? received.readableBytes + account.unansweredBytes + (assembly?.bufferedBytes ?? 0) : 0
    }

    /// How many bytes of responses it has not taken, if they are many.
    private var responseBytes: Int {
        // As long as it takes them it is little.
        guard !takesResponses, channel?.isActive == true else { return 0 }
        return socket.output.unsent
    }

    /// Counts what large messages take; if that is too much together with those of others, whoever has the most is sent away.
    func reserveMemory() {
        guard let ticket, let bytes = account.memoryToReserve(requests: requestBytes, responses: responseBytes) else {
            return
        }
        clients.reserve(bytes, by: ticket)
    }

    /// Frees what its messages take: those of all clients together take too much, and this one's the most.
    func freeMemory() {
        let takesNothing = responseBytes > ClientAccount.small
        if !takesNothing, account.unansweredBytes <= ClientAccount.small, let assembly, assembly.isRestDue {
            return assembly.giveUp(.tooMuchWithOthers)
        }
        if isJoined {
            clients.reports.tell(.refused(UnwantedClient.tooMuchMemory(clients.limits), logger))
        }
        leave()
        // Bytes that it does not take would stay in the system.
        if takesNothing { socket.reset() } else { closeAfterWrites() }
    }

    /// Other limits hold: a time may be limited now that was not.
    func limitsChanged() {
        if isJoined, account.isWatched(within: clients.limits) { watch() }
    }

    /// Has the sweep check us until nothing of ours can last too long.
    private func watch() {
        guard !isWatched, channel != nil else { return }
        isWatched = true
        clients.timeoutSweep.add(self)
    }

    /// Ends what has lasted too long, and stays watched while there is anything left that may.
    func checkTimeouts(at now: NIODeadline) {
        isWatched = false
        guard channel?.isActive == true else { return }
        let progress = socket.progress()
        reserveMemory()
        let expired = account.check(
            progress,
            isResponseDue: account.unanswered > 0 || reader.hasWaitingRequest,
            isRestDue: isRestDue,
            within: clients.limits,
            at: now
        )
        if let expired { end(after: expired) }
        if account.isWatched(within: clients.limits) { watch() }
    }

    private func end(after expired: ClientTimeouts.Expired) {
        switch (expired, state) {
        case (.write, _):
            clients.reports.tell(.writeTimedOut(unsent: account.unsent, logger))
            leave()
            socket.reset()
        case (.request, .joined):
            if let assembly, assembly.isRestDue { return assembly.giveUp(.late) }
            clients.reports.tell(.requestTimedOut(logger))
            // Requests that came whole before are answered.
            stopListening()
            reserveMemory()
            if account.unanswered == 0 { drop() }
        case (.idle, .joined):
            clients.reports.tell(.idled(logger))
            drop()
        // It is being closed by other means.
        case (_, .arriving), (_, .leaving), (_, .closing):
            break
        }
    }

    /// Whether a request has begun, and it is not us who keep the rest from coming.
    private var isRestDue: Bool {
        guard isJoined, channel != nil, takesResponses, reader.isOpen else { return false }
        return !received.isEmpty || assembly?.isRestDue == true
    }
}

@available(*, unavailable)
extension ClientSession: Sendable {}
