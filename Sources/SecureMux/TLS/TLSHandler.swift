package import NIOCore
import NIOTLS

/// Puts a ``TLSSession`` between the network and the later handlers of a channel.
///
/// Later handlers see plaintext, and nothing at all before the handshake is complete. When it fails, or the peer breaks
/// the rules later, they see one ``TLSRefusal`` as an error and then the channel become inactive; they need not close it.
///
/// When the peer ends the connection cleanly they see `TLSUserEvent.shutdownCompleted` before the channel becomes
/// inactive; without that event the end may be missing, which matters where only the end of the bytes ends a message.
///
/// A later handler that does not ask to read is given nothing, and then nothing is read from the network.
package final class TLSHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    enum State {
        /// The channel is not active yet. Exits: greeting, handshaking, closed.
        case idle
        /// A server that reads by itself until the client's hello is whole, and then waits for its turn; writes wait.
        /// Exits: stepping, refused, closed.
        case greeting
        /// Reads by itself; writes wait. Exits: stepping, established, refused, closed.
        case handshaking(TLSSession)
        /// The session is with the thread that takes its next step: nothing is read, and what comes all the same is kept.
        /// Whatever ends the handshake now, the session is freed when that thread has given it back.
        /// Exits: handshaking, refused, closed.
        case stepping
        /// Exits: refused, closing, closed.
        case established(TLSSession)
        /// The alert is sent and our side closed; whatever the peer still sends is thrown away, since closing with
        /// unread bytes would reset the connection and destroy the alert. Exit: closed.
        case refused(TLSRefusal)
        /// Our last bytes are on their way. Exit: closed.
        case closing
        case closed

        fileprivate var session: TLSSession? {
            switch self {
            case .handshaking(let session), .established(let session): session
            case .idle, .greeting, .stepping, .refused, .closing, .closed: nil
            }
        }

        fileprivate var isOver: Bool {
            switch self {
            case .refused, .closing, .closed: true
            case .idle, .greeting, .handshaking, .stepping, .established: false
            }
        }
    }

    let context: TLSContext
    let scratch: TLSScratch
    let handshakes: Handshakes?
    let reading: (any RecvByteBufferAllocator)?
    var state = State.idle {
        didSet {
            if state.isOver, let session = oldValue.session { handshakes?.discard(session, context) }
        }
    }
    var hello = IncomingHello()
    /// What has come for the next step of the handshake.
    var received = ByteBuffer()
    var hasHeardFromPeer = false
    /// The peer has ended its sending; what it sent before is still to be looked at.
    var hasEnded = false
    /// The handshake waits for its turn; what has come is not looked at, and nothing more is read.
    var isWaitingForTurn = false
    /// Of the handshake, then of the shutdown.
    var timer: Scheduled<Void>?
    var waitingWrites: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
    var isFlushWaiting = false
    var closePromise: EventLoopPromise<Void>?
    /// The later handlers have asked to read and were given nothing since.
    var isReadWanted = false
    /// They were given something since the last `channelReadComplete`.
    private var hasDelivered = false
    private var isDeliveryScheduled = false

    /// Creates a handler; all those of one event loop may be given the same `scratch` and `handshakes`.
    ///
    /// Those take the steps of its handshake outside the loop, in turns; without, it does that itself. With `reading` the
    /// channel reads so once it is complete.
    package init(
        context: TLSContext,
        scratch: TLSScratch = TLSScratch(),
        handshakes: Handshakes? = nil,
        reading: (any RecvByteBufferAllocator)? = nil
    ) {
        self.context = context
        self.scratch = scratch
        self.handshakes = handshakes
        self.reading = reading
    }

    /// The certificates that the peer showed; nil unless the handshake is complete and the session open.
    var peerChain: PeerChain? { if case .established(let session) = state { session.peerChain } else { nil } }

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
        handshakes?.closed()
    }

    package func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        start(context)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        switch state {
        case .greeting, .handshaking, .stepping:
            let refusal = refusalAtEnd(context)
            becomeClosed(failing: refusal)
            context.fireErrorCaught(refusal)
        case .idle, .established, .refused, .closing, .closed:
            becomeClosed(failing: ChannelError.ioOnClosedChannel)
        }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .greeting, .handshaking, .stepping:
            // Most likely a reset.
            refuse(context, refusalAtEnd(context))
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
        case .stepping:
            hasEnded = true
        case .handshaking where isWaitingForTurn:
            hasEnded = true
        case .greeting, .handshaking:
            refuse(context, refusalAtEnd(context))
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
        case .handshaking, .stepping:
            receive(context, unwrapInboundIn(data))
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
        case .stepping:
            break
        case .idle, .established, .closing, .closed:
            completeReading(context)
        }
    }

    /// Hands what has been received to the later handlers.
    func deliver(_ context: ChannelHandlerContext, _ session: TLSSession) {
        scratch.plaintext.reuse()
        let step = run(context, promise: nil) { session.decrypt(into: &scratch.plaintext, records: &$0) }
        if scratch.records.readableBytes > 0 {
            context.flush()
        }
        if scratch.plaintext.readableBytes > 0 {
            isReadWanted = false
            hasDelivered = true
            context.fireChannelRead(wrapInboundOut(scratch.plaintext))
        }
        guard case .established = state else { return }
        switch step {
        case .complete, .needsInput:
            break
        case .closed:
            completeReading(context)
            context.fireUserInboundEventTriggered(TLSUserEvent.shutdownCompleted)
            sendLast(context, promise: nil)
        case .failed(let refusal):
            completeReading(context)
            refuse(context, refusal)
        }
    }

    /// Bytes that came before anybody asked wait for the next tick: whoever calls `read` expects no `channelRead` before
    /// it returns.
    private func scheduleDelivery(_ context: ChannelHandlerContext) {
        guard !isDeliveryScheduled else { return }
        isDeliveryScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isDeliveryScheduled = false
            guard case .established(let session) = self.state, self.isReadWanted else { return }
            self.deliver(context, session)
            self.completeReading(context)
        }
    }

    private func completeReading(_ context: ChannelHandlerContext) {
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
        case .idle, .greeting, .handshaking, .stepping:
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
        case .idle, .greeting, .handshaking, .stepping:
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
        case .idle, .greeting, .handshaking, .stepping:
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
        case (.all, .idle), (.all, .greeting), (.all, .handshaking), (.all, .stepping), (.all, .closed):
            becomeClosed(failing: ChannelError.ioOnClosedChannel)
            context.close(mode: .all, promise: promise)
        case (.output, .established(let session)):
            sendCloseNotify(context, session, promise: nil)
            context.close(mode: .output, promise: promise)
        case (.output, _), (.input, _):
            context.close(mode: mode, promise: promise)
        }
    }

    func encrypt(
        _ context: ChannelHandlerContext,
        _ session: TLSSession,
        _ bytes: ByteBuffer,
        _ promise: EventLoopPromise<Void>?
    ) {
        guard bytes.readableBytes > 0 else {
            context.write(wrapOutboundOut(bytes), promise: promise)
            return
        }
        if case .failed(let refusal) = run(context, promise: promise, { session.encrypt(bytes, records: &$0) }) {
            refuse(context, refusal)
        }
    }

    // MARK: Session

    /// Runs a step of the session and writes the records it makes, failed steps' too, without flushing them.
    func run(
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
