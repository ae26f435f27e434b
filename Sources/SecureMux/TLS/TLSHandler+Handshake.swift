import NIOCore
import NIOTLS

extension TLSHandler {
    // Until here nothing has been read: whoever wants to limit how many handshakes run at a time delays this call.
    func start(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        startHandshakeTimer(context)
        switch self.context.role {
        case .server: state = .greeting
        case .client: startSession(context)
        }
        switch state {
        case .greeting, .handshaking: context.read()
        case .idle, .established, .refused, .closing, .closed: break
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

    var hasHeardFromPeer: Bool {
        if case .handshaking(let session) = state { session.hasHeardFromPeer } else { hello.bytes.readableBytes > 0 }
    }

    func receiveHello(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
        hello.append(bytes)
        switch hello.state {
        case .incomplete:
            pace?.hold(hello.bytes.capacity, self, from: context.channel.remoteAddress) {
                self.refuse(context, .crowdedOut)
            }
        case .whole, .unexpected:
            begin(context)
        case .tooLarge:
            context.write(wrapOutboundOut(ByteBuffer(bytes: IncomingHello.alert)), promise: nil)
            refuse(context, .helloTooLarge)
        }
    }

    /// Starts the session now, or when there is room for it and it is its turn among the others of the loop.
    private func begin(_ context: ChannelHandlerContext) {
        guard !isWaitingForTurn else { return }
        guard let pace else { return startSession(context) }
        isWaitingForTurn = pace.begin(self, from: context.channel.remoteAddress) {
            self.refuse(context, .crowdedOut)
        } step: {
            self.inTurn(context) { self.startSession(context) }
        }
    }

    private func startSession(_ context: ChannelHandlerContext) {
        do {
            let session = try TLSSession(self.context)
            state = .handshaking(session)
            let isUnexpected = hello.state == .unexpected
            if hello.bytes.readableBytes > 0 { session.receive(hello.bytes) }
            hello = IncomingHello()
            advanceHandshake(context, session)
            guard isUnexpected, case .handshaking = state else { return }
            // OpenSSL would wait for the rest, of which nobody knows how long it is.
            refuse(context, .interruptedHello)
        } catch {
            refuse(context, error)
        }
    }

    /// Goes on with the handshake now, or when it is its turn among the others of the loop.
    func advanceInTurn(_ context: ChannelHandlerContext) {
        guard !isWaitingForTurn else { return }
        let step = {
            guard case .handshaking(let session) = self.state else { return }
            self.advanceHandshake(context, session)
        }
        guard let pace else { return step() }
        isWaitingForTurn = pace.proceed(self, from: context.channel.remoteAddress) { self.inTurn(context, step) }
    }

    private func inTurn(_ context: ChannelHandlerContext, _ step: () -> Void) {
        let hasWaited = isWaitingForTurn
        isWaitingForTurn = false
        step()
        // What came last was read long ago.
        if hasWaited { channelReadComplete(context: context) }
    }

    func leavePace() {
        isWaitingForTurn = false
        pace?.leave(self)
    }

    private func advanceHandshake(_ context: ChannelHandlerContext, _ session: TLSSession) {
        let step = take(context, promise: nil) { session.handshake(records: &$0) }
        context.flush()
        switch step {
        case .complete:
            handshakeCompleted(context, session)
        case .needsInput:
            break
        case .closed:
            refuse(context, .hungUp(self.context.role, heardFrom: true))
        case .failed(let refusal):
            refuse(context, refusal)
        }
    }

    /// Why a connection ended whose handshake was not complete.
    ///
    /// The alert that a client sent before it left waits for the turn of its handshake like all that it sent.
    func refusalAtEnd(_ context: ChannelHandlerContext) -> TLSRefusal {
        if let foreignHello { return foreignHello }
        let hungUp = TLSRefusal.hungUp(self.context.role, heardFrom: hasHeardFromPeer)
        guard case .handshaking(let session) = state, session.hasInput else { return hungUp }
        let step = take(context, promise: nil) { session.handshake(records: &$0) }
        return if case .failed(let refusal) = step { refusal } else { hungUp }
    }

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

    private func handshakeCompleted(_ context: ChannelHandlerContext, _ session: TLSSession) {
        // A flush may have closed the channel.
        guard case .handshaking = state else { return }
        timer?.cancel()
        timer = nil
        leavePace()
        state = .established(session)
        if let reading { try? context.channel.syncOptions?.setOption(.recvAllocator, value: reading) }
        sendWaitingWrites(context, session)
        guard case .established = state else { return }
        context.fireUserInboundEventTriggered(
            TLSPeerIdentified(
                certificate: session.peerCertificate,
                version: session.negotiatedVersion ?? .v1_2
            )
        )
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
