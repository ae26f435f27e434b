import NIOCore
import NIOTLS

extension TLSHandler {
    // Until here nothing has been read: whoever wants to limit how many handshakes run at a time delays this call.
    func start(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        startHandshakeTimer(context)
        switch self.context.role {
        case .server: state = .greeting
        case .client: advance(context)
        }
        switch state {
        case .greeting, .handshaking: context.read()
        case .idle, .stepping, .established, .refused, .closing, .closed: break
        }
    }

    func startHandshakeTimer(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let limit = self.context.handshakeTimeout
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            self.refuse(
                context,
                self.foreignHello ?? .timedOut(self.context.role, after: limit, heardFrom: self.hasHeardFromPeer)
            )
        }
    }

    func receiveHello(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { hasHeardFromPeer = true }
        hello.append(bytes)
        switch hello.state {
        case .incomplete:
            handshakes?.reserve(hello.bytes.capacity, self, from: context.channel.remoteAddress) {
                self.refuse(context, .crowdedOut)
            }
        case .whole, .unexpected:
            advance(context)
        case .tooLarge:
            context.write(wrapOutboundOut(ByteBuffer(bytes: IncomingHello.alert)), promise: nil)
            refuse(context, .helloTooLarge)
        }
    }

    /// Keeps what has come for the next step, which it takes unless it waits for one.
    func receive(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        if bytes.readableBytes > 0 { hasHeardFromPeer = true }
        // A copy: a channel makes itself another buffer for each one that is not given back at once, and keeps them.
        received.writeImmutableBuffer(bytes)
        guard case .handshaking = state else { return }
        // Whoever says so may reset the connection after it, and then nobody would hear why; to look takes no time.
        if !isWaitingForTurn, received.endsWithAlert, let step = handOver() {
            step.run()
            return advance(context, by: step)
        }
        advance(context)
    }

    /// Takes a step, now or when it is this handshake's turn.
    private func advance(_ context: ChannelHandlerContext) {
        guard !isWaitingForTurn else { return }
        guard let handshakes else {
            guard let step = handOver() else { return }
            step.run()
            return advance(context, by: step)
        }
        isWaitingForTurn = true
        let turn = Handshakes.Turn(handler: self) {
            self.isWaitingForTurn = false
            return self.handOver()
        } finished: { step in
            self.advance(context, by: step)
            // What came last was read long ago.
            self.channelReadComplete(context: context)
        }
        if case .handshaking = state { return handshakes.proceed(turn) }
        handshakes.begin(turn, from: context.channel.remoteAddress) { self.refuse(context, .crowdedOut) }
    }

    /// Lets go of the session, and of what came for it, until the step has been taken.
    private func handOver() -> HandshakeStep? {
        var session: TLSSession?
        switch state {
        case .idle: break
        case .greeting: received = hello.takeBytes()
        case .handshaking(let current): session = current
        case .stepping, .established, .refused, .closing, .closed: return nil
        }
        state = .stepping
        defer { received = ByteBuffer() }
        return HandshakeStep(self.context, session, receiving: received)
    }

    func leaveHandshake() {
        hello = IncomingHello()
        received = ByteBuffer()
        isWaitingForTurn = false
        handshakes?.leave(self)
    }

    private func advance(_ context: ChannelHandlerContext, by step: HandshakeStep) {
        let (session, records) = step.takeResult()
        // Whatever has ended the handshake meanwhile, nobody needs the session any more.
        guard case .stepping = state else {
            if let session { handshakes?.discard(session, self.context) }
            return
        }
        if let session { state = .handshaking(session) }
        if records.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(records), promise: nil) }
        switch (state, step.outcome) {
        case (.handshaking(let session), .complete) where !hasEnded:
            handshakeCompleted(context, session, step.peer)
        case (.handshaking, .needsInput):
            awaitInput(context)
        case (.handshaking, .complete), (.handshaking, .closed):
            end(context, .hungUp(self.context.role, heardFrom: true))
        case (_, .failed(let refusal)):
            end(context, refusal)
        default:
            // A flush may have closed the channel.
            break
        }
    }

    /// Goes on with what came during the last step.
    private func awaitInput(_ context: ChannelHandlerContext) {
        if hello.state == .unexpected {
            // OpenSSL would wait for the rest, of which nobody knows how long it is.
            end(context, .interruptedHello)
        } else if received.readableBytes > 0 {
            advance(context)
        } else if hasEnded {
            end(context, .hungUp(self.context.role, heardFrom: true))
        }
    }

    private func end(_ context: ChannelHandlerContext, _ refusal: TLSRefusal) {
        refuse(context, refusal)
        // Whoever has ended its sending sends nothing more that could destroy the alert.
        if hasEnded { finish(context) }
    }

    /// Why a connection ended whose handshake was not complete.
    ///
    /// The alert that a client sent before it was reset waits for the turn of its handshake like all that it sent.
    func refusalAtEnd(_ context: ChannelHandlerContext) -> TLSRefusal {
        if let foreignHello { return foreignHello }
        let hungUp = TLSRefusal.hungUp(self.context.role, heardFrom: hasHeardFromPeer)
        guard case .handshaking(let session) = state, 1...Self.alertBytes ~= received.readableBytes else {
            return hungUp
        }
        let step = HandshakeStep(self.context, session, receiving: received)
        step.run()
        received = ByteBuffer()
        return if case .failed(let refusal) = step.outcome { refusal } else { hungUp }
    }

    /// No alert is longer, with what may stand in front of it; it takes no time to look at so few bytes.
    private static let alertBytes = 64

    /// What the client's first bytes say if they are none of TLS, and too few to tell what else they are.
    private var foreignHello: TLSRefusal? {
        guard case .greeting = state, hello.isForeign else { return nil }
        return .notTLS(
            TLSEvidence(
                role: context.role,
                minimumVersion: context.minimumVersion,
                hasCertificate: context.hasCertificate,
                firstBytes: hello.bytes
            )
        )
    }

    private func handshakeCompleted(
        _ context: ChannelHandlerContext,
        _ session: TLSSession,
        _ peer: TLSPeerIdentified?
    ) {
        timer?.cancel()
        timer = nil
        // What came during the last step is the beginning of the rest.
        if received.readableBytes > 0 { session.receive(received) }
        leaveHandshake()
        state = .established(session)
        if let reading { try? context.channel.syncOptions?.setOption(.recvAllocator, value: reading) }
        sendWaitingWrites(context, session)
        guard case .established = state else { return }
        if let peer { context.fireUserInboundEventTriggered(peer) }
        guard case .established = state else { return }
        context.fireUserInboundEventTriggered(TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
        // Requests may have come together with the end of the handshake.
        guard case .established = state, isReadWanted, session.hasInput else { return }
        deliver(context, session)
    }

    private func sendWaitingWrites(_ context: ChannelHandlerContext, _ session: TLSSession) {
        let writes = waitingWrites
        waitingWrites = []
        for write in writes {
            if case .established = state {
                encrypt(context, session, write.bytes, write.promise)
            } else {
                write.promise?.fail(ChannelError.ioOnClosedChannel)
            }
        }
        if isFlushWaiting {
            isFlushWaiting = false
            context.flush()
        }
    }
}

extension ByteBuffer {
    /// Whether these are whole records, the last of which may be an alert: encrypted it is no longer than this, all else is.
    fileprivate var endsWithAlert: Bool {
        var rest = self
        var last: (type: UInt8, length: UInt16)?
        while let type = rest.readInteger(as: UInt8.self) {
            guard rest.readInteger(as: UInt16.self) != nil, let length = rest.readInteger(as: UInt16.self),
                length <= 32, rest.readSlice(length: Int(length)) != nil
            else { return false }
            last = (type, length)
        }
        return last?.type == 0x15 || last?.type == 0x17
    }
}
