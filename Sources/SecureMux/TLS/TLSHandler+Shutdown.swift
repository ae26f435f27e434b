import NIOCore

extension TLSHandler {
    /// Ends the connection because of the peer: it sees the alert, later handlers see the refusal.
    func refuse(_ context: ChannelHandlerContext, _ refusal: TLSRefusal) {
        switch state {
        case .idle, .greeting, .handshaking, .stepping, .established: break
        case .refused, .closing, .closed: return
        }
        state = .refused(refusal)
        leaveHandshake()
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

    /// Ends the connection cleanly: flushes what was written, then close_notify, and does not wait for the peer's.
    func sendLast(_ context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
        guard case .established(let session) = state else { return }
        state = .closing
        addClosePromise(promise)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.finish(context) }
        sendCloseNotify(context, session, promise: sent)
        if case .closing = state {
            startShutdownTimer(context)
        }
    }

    func sendCloseNotify(
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
    func finish(_ context: ChannelHandlerContext) {
        switch state {
        case .refused, .closing: break
        case .idle, .greeting, .handshaking, .stepping, .established, .closed: return
        }
        let promise = closePromise
        closePromise = nil
        becomeClosed(failing: ChannelError.ioOnClosedChannel)
        context.close(mode: .all, promise: promise)
    }

    func becomeClosed(failing error: any Error) {
        state = .closed
        leaveHandshake()
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

    func addClosePromise(_ promise: EventLoopPromise<Void>?) {
        guard let promise else { return }
        if let closePromise {
            closePromise.futureResult.cascade(to: promise)
        } else {
            closePromise = promise
        }
    }
}
