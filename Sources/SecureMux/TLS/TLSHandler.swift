package import NIOCore
import NIOTLS

/// Tells the later handlers of a pipeline who the peer is; fired right before `TLSUserEvent.handshakeCompleted`.
package struct TLSPeerIdentified: Sendable, Hashable {
    /// The certificate that the peer showed and that was verified, if it showed one.
    package var certificate: PeerCertificate?
    package var version: TLSVersion
}

/// Buffers that all TLS handlers of one event loop may share, so that an idle connection keeps none.
package final class TLSScratch {
    // Not checked at each access, which takes long: only `deliver` and `take` use them, one after the other.
    @exclusivity(unchecked) fileprivate var records = ByteBuffer()
    @exclusivity(unchecked) fileprivate var plaintext = ByteBuffer()

    package init() {}
}

@available(*, unavailable)
extension TLSScratch: Sendable {}

/// Puts a ``TLSSession`` between the network and the later handlers of a channel.
///
/// Later handlers see plaintext, and nothing at all before the handshake is complete. When it fails, or the peer breaks
/// the rules later, they see one ``TLSRefusal`` as an error and then the channel become inactive; they need not close it.
///
/// When the peer ends the connection in peace they see `TLSUserEvent.shutdownCompleted` before the channel becomes
/// inactive; without that event the end may be missing, which matters where only the end of the bytes ends a message.
///
/// A later handler that does not ask to read is given nothing, and then nothing is read from the network.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        /// The channel is not active yet. Exits: greeting, handshaking, closed.
        case idle
        /// A server that reads by itself until the client's hello is whole, and then waits for its turn; writes wait.
        /// Exits: handshaking, refused, closed.
        case greeting
        /// Reads by itself; writes wait. Exits: established, refused, closed.
        case handshaking(TLSSession)
        /// Exits: refused, closing, closed.
        case established(TLSSession)
        /// The alert is sent and our side closed; whatever the peer still sends is thrown away, since closing with
        /// unread bytes would reset the connection and destroy the alert. Exit: closed.
        case refused(TLSRefusal)
        /// Our last bytes are on their way. Exit: closed.
        case closing
        case closed
    }

    private let context: TLSContext
    private let scratch: TLSScratch
    private let pace: HandshakePace?
    private let reading: (any RecvByteBufferAllocator)?
    // The accesses of a request are not checked: none of them lasts over a call that could come back here.
    @exclusivity(unchecked) private var state = State.idle
    private var hello = IncomingHello()
    /// The handshake waits for its turn; what has come is not looked at, and nothing more is read.
    private var isWaitingForTurn = false
    /// Of the handshake, then of the shutdown.
    private var timer: Scheduled<Void>?
    private var waitingWrites: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    private var isFlushWaiting = false
    private var closePromise: EventLoopPromise<Void>?
    /// The later handlers have asked to read and were given nothing since.
    @exclusivity(unchecked) private var isReadWanted = false
    /// They were given something since the last `channelReadComplete`.
    @exclusivity(unchecked) private var hasDelivered = false
    private var isDeliveryScheduled = false
    /// They were given something and have written nothing since.
    @exclusivity(unchecked) private var awaitsAnswer = false
    @exclusivity(unchecked) private var hasBeenAnswered = false

    /// Creates a handler; all those of one event loop may be given the same `scratch` and `pace`.
    ///
    /// With a `pace` its handshake lets others have their turn. With `reading` the channel reads so once it is complete.
    package init(
        context: TLSContext,
        scratch: TLSScratch = TLSScratch(),
        pace: HandshakePace? = nil,
        reading: (any RecvByteBufferAllocator)? = nil
    ) {
        self.context = context
        self.scratch = scratch
        self.pace = pace
        self.reading = reading
    }

    // MARK: Life of the channel

    package func handlerAdded(context: ChannelHandlerContext) {
        // A server's time runs from the accepted connection on, a client's from the established one.
        if case .server = self.context.role {
            startHandshakeTimer(context)
        }
        if context.channel.isActive {
            start(context)
        }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        becomeClosed(failing: ChannelError.ioOnClosedChannel)
        pace?.closed()
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        start(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .greeting, .handshaking:
            let refusal = TLSRefusal.hungUp(self.context.role, heardFrom: hasHeardFromPeer)
            becomeClosed(failing: refusal)
            context.fireErrorCaught(refusal)
        case .idle, .established, .refused, .closing, .closed:
            becomeClosed(failing: ChannelError.ioOnClosedChannel)
        }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .greeting, .handshaking:
            // Most likely a reset.
            refuse(context, .hungUp(self.context.role, heardFrom: hasHeardFromPeer))
        case .refused, .closing:
            break
        case .idle, .established, .closed:
            context.fireErrorCaught(error)
        }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        switch state {
        case .greeting, .handshaking:
            refuse(context, .hungUp(self.context.role, heardFrom: hasHeardFromPeer))
            finish(context)
        case .established:
            sendLast(context, promise: nil)
        case .refused, .closing:
            finish(context)
        case .idle, .closed:
            context.fireUserInboundEventTriggered(event)
        }
    }

    // MARK: Inbound

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .greeting:
            receiveHello(context, unwrapInboundIn(data))
        case .handshaking(let session):
            session.receive(unwrapInboundIn(data))
            advanceInTurn(context)
        case .established(let session):
            session.receive(unwrapInboundIn(data))
            if isReadWanted || hasDelivered {
                deliver(context, session)
            }
        case .idle, .refused, .closing, .closed:
            break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        switch state {
        case .greeting, .handshaking, .refused:
            if !isWaitingForTurn { context.read() }
        case .idle, .established, .closing, .closed:
            endTurn(context)
        }
    }

    /// Hands what has been received to the later handlers.
    private func deliver(_ context: ChannelHandlerContext, _ session: TLSSession) {
        scratch.plaintext.reuse()
        let step = take(context, promise: nil) { session.decrypt(into: &scratch.plaintext, records: &$0) }
        if scratch.records.readableBytes > 0 {
            context.flush()
        }
        if scratch.plaintext.readableBytes > 0 {
            isReadWanted = false
            hasDelivered = true
            noteAsked()
            context.fireChannelRead(wrapInboundOut(scratch.plaintext))
        }
        guard case .established = state else { return }
        switch step {
        case .complete, .needsInput:
            break
        case .closed:
            endTurn(context)
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
            sendLast(context, promise: nil)
        case .failed(let refusal):
            endTurn(context)
            refuse(context, refusal)
        }
    }

    /// Bytes that came unasked wait for the next turn: whoever calls `read` expects no `channelRead` before it returns.
    private func scheduleDelivery(_ context: ChannelHandlerContext) {
        guard !isDeliveryScheduled else { return }
        isDeliveryScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isDeliveryScheduled = false
            guard case .established(let session) = self.state, self.isReadWanted else { return }
            self.deliver(context, session)
            self.endTurn(context)
        }
    }

    private func endTurn(_ context: ChannelHandlerContext) {
        if hasDelivered {
            hasDelivered = false
            context.fireChannelReadComplete()
        } else {
            readOn(context)
        }
    }

    /// The network had no whole record for the later handlers, who still wait for one.
    ///
    /// Not while the peer does not take what we send: key updates that ask for one in return would make that grow.
    private func readOn(_ context: ChannelHandlerContext) {
        guard case .established = state, isReadWanted, context.channel.isWritable else { return }
        context.read()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        readOn(context)
        context.fireChannelWritabilityChanged()
    }

    // MARK: Outbound

    package func read(context: ChannelHandlerContext) {
        switch state {
        case .idle, .greeting, .handshaking:
            isReadWanted = true
        case .established(let session):
            isReadWanted = true
            if session.hasInput {
                scheduleDelivery(context)
            } else {
                context.read()
            }
        case .refused, .closing, .closed:
            break
        }
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        switch state {
        case .idle, .greeting, .handshaking:
            waitingWrites.append((bytes, promise))
        case .established(let session):
            encrypt(context, session, bytes, promise)
        case .refused(let refusal):
            promise?.fail(refusal)
        case .closing:
            promise?.fail(ChannelError.outputClosed)
        case .closed:
            promise?.fail(ChannelError.ioOnClosedChannel)
        }
    }

    package func flush(context: ChannelHandlerContext) {
        switch state {
        case .idle, .greeting, .handshaking:
            isFlushWaiting = true
        case .established, .refused, .closing, .closed:
            context.flush()
        }
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch (mode, state) {
        case (.all, .established):
            sendLast(context, promise: promise)
        case (.all, .refused), (.all, .closing):
            addClosePromise(promise)
        case (.all, .idle), (.all, .greeting), (.all, .handshaking), (.all, .closed):
            becomeClosed(failing: ChannelError.ioOnClosedChannel)
            context.close(mode: .all, promise: promise)
        case (.output, .established(let session)):
            sendCloseNotify(context, session, promise: nil)
            context.close(mode: .output, promise: promise)
        case (.output, _), (.input, _):
            context.close(mode: mode, promise: promise)
        }
    }

    private func noteAsked() {
        // Whoever has just come does not hold up others that come: a crowd would hold up itself.
        guard hasBeenAnswered, !awaitsAnswer else { return }
        awaitsAnswer = true
        pace?.asked()
    }

    private func noteAnswered() {
        hasBeenAnswered = true
        guard awaitsAnswer else { return }
        awaitsAnswer = false
        pace?.answered()
    }

    private func encrypt(
        _ context: ChannelHandlerContext,
        _ session: TLSSession,
        _ bytes: ByteBuffer,
        _ promise: EventLoopPromise<Void>?
    ) {
        noteAnswered()
        guard bytes.readableBytes > 0 else {
            context.write(wrapOutboundOut(bytes), promise: promise)
            return
        }
        if case .failed(let refusal) = take(context, promise: promise, { session.encrypt(bytes, records: &$0) }) {
            refuse(context, refusal)
        }
    }

    // MARK: Handshake

    // Until here nothing has been read: whoever wants to limit how many handshakes run at a time delays this call.
    private func start(_ context: ChannelHandlerContext) {
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

    private func startHandshakeTimer(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        let limit = self.context.handshakeTimeout
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
            self.refuse(context, .timedOut(self.context.role, after: limit, heardFrom: self.hasHeardFromPeer))
        }
    }

    private var hasHeardFromPeer: Bool {
        if case .handshaking(let session) = state { session.hasHeardFromPeer } else { hello.bytes.readableBytes > 0 }
    }

    private func receiveHello(_ context: ChannelHandlerContext, _ bytes: ByteBuffer) {
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
    private func advanceInTurn(_ context: ChannelHandlerContext) {
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

    private func leavePace() {
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

    // MARK: End

    /// Ends the connection because of the peer: it sees the alert, later handlers see the refusal.
    private func refuse(_ context: ChannelHandlerContext, _ refusal: TLSRefusal) {
        switch state {
        case .idle, .greeting, .handshaking, .established: break
        case .refused, .closing, .closed: return
        }
        state = .refused(refusal)
        hello = IncomingHello()
        leavePace()
        noteAnswered()
        timer?.cancel()
        failWaitingWrites(refusal)
        context.flush()
        context.fireErrorCaught(refusal)
        guard case .refused = state else { return }
        startShutdownTimer(context)
        context.close(mode: .output, promise: nil)
        guard case .refused = state else { return }
        context.read()
    }

    /// Ends the connection in peace: flushes what was written, then close_notify, and does not wait for the peer's.
    private func sendLast(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard case .established(let session) = state else { return }
        state = .closing
        noteAnswered()
        addClosePromise(promise)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.finish(context) }
        sendCloseNotify(context, session, promise: sent)
        if case .closing = state {
            startShutdownTimer(context)
        }
    }

    private func sendCloseNotify(
        _ context: ChannelHandlerContext,
        _ session: TLSSession,
        promise: EventLoopPromise<Void>?
    ) {
        scratch.records.reuse()
        session.shutdown(records: &scratch.records)
        context.writeAndFlush(wrapOutboundOut(scratch.records), promise: promise)
    }

    private func startShutdownTimer(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(self.context.shutdownTimeout)) {
            self.finish(context)
        }
    }

    /// Closes the channel after a refusal or our last bytes.
    private func finish(_ context: ChannelHandlerContext) {
        switch state {
        case .refused, .closing: break
        case .idle, .greeting, .handshaking, .established, .closed: return
        }
        let promise = closePromise
        closePromise = nil
        becomeClosed(failing: ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    private func becomeClosed(failing error: any Error) {
        state = .closed
        hello = IncomingHello()
        leavePace()
        noteAnswered()
        timer?.cancel()
        timer = nil
        failWaitingWrites(error)
        closePromise?.succeed(())
        closePromise = nil
    }

    private func failWaitingWrites(_ error: any Error) {
        let writes = waitingWrites
        waitingWrites = []
        for write in writes {
            write.promise?.fail(error)
        }
    }

    private func addClosePromise(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let closePromise {
            closePromise.futureResult.cascade(to: promise)
        } else {
            closePromise = promise
        }
    }

    // MARK: Session

    /// Takes a step of the session and writes the records it makes, failed steps' too, without flushing them.
    private func take(
        _ context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>?,
        _ step: (inout ByteBuffer) -> TLSSession.Step
    ) -> TLSSession.Step {
        scratch.records.reuse()
        let outcome = step(&scratch.records)
        var promise = promise
        if case .failed(let refusal) = outcome {
            promise?.fail(refusal)
            promise = nil
        }
        if scratch.records.readableBytes > 0 {
            context.write(wrapOutboundOut(scratch.records), promise: promise)
        }
        return outcome
    }
}

extension ByteBuffer {
    /// Empties the buffer for its next use, and lets go of its memory when someone else still has it or it is large.
    fileprivate mutating func reuse() {
        guard writerIndex > 0 else { return }
        if writerIndex > 32 << 10 { self = ByteBuffer() }
        clear(minimumCapacity: 512)
    }
}
