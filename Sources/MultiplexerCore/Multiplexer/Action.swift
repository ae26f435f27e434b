extension Multiplexer {
    /// What is to be done, in the order given.
    ///
    /// Each request ends with exactly one of ``respond(_:to:)``, ``respondCached(_:slot:age:to:)``,
    /// ``fail(_:_:to:)``, ``complete(_:to:)`` and ``discard(_:)``.
    package enum Action: Hashable, Sendable {
        /// Open the connection to the device. No other one exists.
        case connect(LinkID)
        /// Close the connection, or give up the attempt; ``Multiplexer/Event/upstreamClosed(_:midResponse:)`` must follow.
        case disconnect(LinkID)
        /// Send a request upstream under this transaction id.
        case send(RequestID, transactionID: UInt16)
        /// Give the response that is being handled to the client that asked.
        case respond(RequestID, to: ClientID)
        /// Keep the response that is being handled in this slot, instead of what was there.
        ///
        /// Slots are small numbers, and soon all of them have been named.
        case cacheResponse(slot: Int)
        /// Give the cached response in a slot, which is this old, to the client that asked.
        case respondCached(RequestID, slot: Int, age: Duration, to: ClientID)
        /// Tell the client that its request failed, or close it where the protocol cannot say so.
        case fail(RequestID, Failure, to: ClientID)
        /// Say nothing to the client: its request was a broadcast, which has no response, sent or not.
        case complete(RequestID, to: ClientID)
        /// Forget a request whose client has left.
        case discard(RequestID)
        /// Read nothing more from this client.
        case pauseReading(ClientID)
        /// Read from this client again.
        case resumeReading(ClientID)
        /// Close this client once what was written to it is on its way.
        case closeClient(ClientID)
        /// Deliver ``Multiplexer/Event/deadlineReached`` at this time, and not at an earlier one that was asked for.
        case setDeadline(Duration)
        /// Say something to whoever watches; nothing depends on it.
        case report(Report)
        /// The drain is over: no client, no connection is left, or its time ran out.
        case drained
    }

    /// Something worth a line in the log.
    ///
    /// A request that it names is not over, since the id may be another's by then; nil where nobody is left that asked.
    package enum Report: Hashable, Sendable {
        /// The device can be asked.
        case ready(LinkID)
        /// The connection was lost, or never came to be; requests fail until the next attempt.
        case backingOff(attempt: Int, delay: Duration)
        /// The device closed a connection on which it had answered, or may; the next one is opened at once.
        case connectionLost(unanswered: Int)
        /// The device took too long to accept the connection.
        case connectTimedOut(LinkID)
        /// The device did not answer in time.
        case responseTimedOut(RequestID?, transactionID: UInt16)
        /// The connection is replaced.
        case replacingConnection(LinkID, after: ReplacementCause)
        /// The device closed a connection that was never used; the next one is opened for a request.
        case closedUnused
        /// The device closed the connection before the request was due that it was opened for; the next one is opened at once.
        case closedEarly
        /// The connection is closed since nobody asked anything for a while; the next one is opened for a request.
        case closingIdle
        /// The connection is closed since it is old; the next one is opened at once.
        case renewing
        /// The connection ended before a byte of a response came, or of a request left, or the response came damaged; the
        /// request is sent again.
        case sendingAgain(RequestID)
        /// A request is not sent, since the answer of an equal read is on its way, or about to be asked for.
        case sharing(RequestID, with: RequestID?)
        /// The device answered after connections that had failed, or requests that it had let time out.
        case respondsAgain
        /// A response that answers nothing in flight was dropped.
        case strayResponse(Response)
        /// The response of a request was dropped that had timed out, or whose connection was lost.
        case lateResponse(Response)
        /// `strays` responses in a row answer nothing that was asked: another program seems to talk to the device.
        case competitorSuspected(strays: Int)
        /// A message that the device sent of its own accord was dropped.
        case unsolicitedMessage
        /// The device said with its answer that it takes no further request on this connection, which is closed.
        case lastResponse
        /// The device answered a broadcast; nobody waits for that.
        case broadcastResponse
        /// The answer of a request came damaged; the request fails, or is sent again.
        case responseDamaged(ResponseDamage, RequestID?)
        /// An answer held more bytes of values than were asked for; told once.
        case wideValues(bytes: Int, expected: Int)
        /// Bytes that are no message were dropped.
        case noise(bytes: Int)
        /// The device answers, but does not repeat what it should; told after three times.
        case mismatchRecognised(MismatchPattern)
        /// The device does not take a new connection soon after the last one was closed: it still counts that. Tried again.
        case oldConnectionCounted(retryIn: Duration)
        /// The device answers again; it counted the last connection for about this time after it was closed.
        case oldConnectionForgotten(after: Duration)
        /// The drain's time is over, and the `unanswered` requests fail that are in flight.
        case drainOverdue(unanswered: Int)
        /// The device was somebody else's, and is ours again.
        case resumed
        /// The device ended its connection each time that it was asked this; it is not asked again for this time.
        case heldBack(RequestID?, Duration)
    }
    /// Why a connection is not to be trusted any longer.
    package enum ReplacementCause: Hashable, Sendable {
        /// The device lets requests time out: it is gone, or a late response could be taken for another.
        case silence
        /// Without transaction ids, a message too many could be taken for the answer to the next request.
        case stray
        /// What follows a damaged message cannot be told from its remains.
        case damage
    }
}
