import DequeModule
import MultiplexerCore
import NIOCore
import NIOPosix

/// One connection to the device, from the attempt to its end.
///
/// Addresses of a name are tried one after the other, never side by side as elsewhere: the device must not see a second
/// connection, not even for a moment. It tells the driver of its end exactly once, when nothing of it is left.
final class UpstreamConnection {
    let link: LinkID

    private let device: DeviceAddress
    private let applicationProtocol: ApplicationProtocol
    private let timeout: TimeAmount
    private let driver: MultiplexerDriver
    private var state = State.resolving
    private var reason: (any Error)?
    /// Bytes have come that belong to no message yet.
    fileprivate var isMidResponse = false
    /// Nil where a handler makes something else of what is written.
    private var direct: DirectSocket?
    private let sendsTogether: Bool
    /// Frames that wait for others, and where each begins.
    private var batch: [UInt8] = []
    private var batched: [(request: RequestID, start: Int)] = []
    private var isFlushScheduled = false
    private var isWriting = false
    /// What came while a request was being written, on a wire without ids.
    ///
    /// A write that fails reads what is left first. If nothing of the request has left, none of that can answer it.
    private var early: Deque<ByteBuffer> = []

    private enum State {
        /// The name is being looked up. Exits: connecting, closed.
        case resolving
        /// An attempt is under way. Exits: connecting the next address, connected, closed.
        case connecting((any Channel)?, remaining: ArraySlice<SocketAddress>)
        /// Exits: closed.
        case connected(any Channel)
        /// Being closed as asked. Exits: closed.
        case givingUp
        /// Nothing is left.
        case closed
    }

    /// A connection that is not yet attempted; each address of a name gets its share of `timeout`.
    ///
    /// With `sendsTogether` requests that come up in one turn of the loop leave with one call, where the device has others
    /// to work on meanwhile.
    init(
        _ link: LinkID,
        to device: DeviceAddress,
        speaking applicationProtocol: ApplicationProtocol,
        timeout: TimeAmount,
        sendsTogether: Bool,
        driver: MultiplexerDriver
    ) {
        self.link = link
        self.device = device
        self.applicationProtocol = applicationProtocol
        self.timeout = timeout
        self.sendsTogether = sendsTogether
        self.driver = driver
    }

    /// Looks the device up and connects.
    func connect() {
        device.resolve(on: driver.eventLoop).assumeIsolated().whenComplete { [self] result in
            guard case .resolving = state else { return }
            switch result {
            case .success(let addresses):
                attempt(addresses[...], each: .nanoseconds(timeout.nanoseconds / Int64(max(addresses.count, 1))))
            case .failure(let error): end(error)
            }
        }
    }

    /// Sends the frame of a request, or tells the driver that no byte of it has left.
    func write(_ frame: [UInt8], of request: RequestID) {
        guard case .connected(let channel) = state, channel.isActive else {
            driver.requestUnsent(request, on: link)
            return
        }
        guard !sendsTogether else {
            batched.append((request, batch.count))
            batch.append(contentsOf: frame)
            return scheduleFlush()
        }
        guard let sent = send(frame) else { return queue(frame[...], of: [request], isDead: true, on: channel) }
        if sent < frame.count { queue(frame[sent...], of: sent == 0 ? [request] : [], on: channel) }
    }

    /// Sends the frames that were kept back to go together.
    func flush() {
        guard !batch.isEmpty, case .connected(let channel) = state, channel.isActive else { return }
        let (frames, requests) = (batch, batched)
        batch.removeAll(keepingCapacity: true)
        batched.removeAll(keepingCapacity: true)
        guard let sent = send(frames) else {
            return queue(frames[...], of: requests.map(\.request), isDead: true, on: channel)
        }
        guard sent < frames.count else { return }
        let unsent = requests.filter { $0.start >= sent }.map(\.request)
        // Of several the channel may yet write some before it fails.
        queue(frames[sent...], of: unsent.count == 1 ? unsent : [], on: channel)
    }

    /// What the socket takes at once; nil when it takes nothing any more.
    private func send(_ bytes: [UInt8]) -> Int? {
        direct == nil ? 0 : bytes.withUnsafeBytes { direct?.send($0) }
    }

    /// When the loop has heard all who have something to say now.
    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        driver.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    /// Leaves what the socket does not take to the channel, of these requests all bytes.
    ///
    /// From a dead socket the channel reads what is left, and then closes it.
    private func queue(
        _ rest: ArraySlice<UInt8>,
        of requests: [RequestID],
        isDead: Bool = false,
        on channel: any Channel
    ) {
        isWriting = true
        channel.writeAndFlush(ByteBuffer(bytes: rest), promise: nil)
        isWriting = false
        // A write that fails closes the channel at once. Of a few bytes the system takes all or nothing.
        if !channel.isActive, isDead || rest.count <= Self.wholeWrite { unsent(requests) }
        while let message = early.popFirst() { driver.receiveResponse(message, on: link) }
    }

    private func unsent(_ requests: [RequestID]) {
        for request in requests { driver.requestUnsent(request, on: link) }
    }

    /// So many bytes fit into any send buffer at once, beside those of the other requests in flight.
    private static let wholeWrite = 512

    /// Closes the connection or gives the attempt up.
    func close() {
        switch state {
        case .resolving:
            // A look-up cannot be called back; its result is ignored. The end is told later, as an end always is.
            state = .givingUp
            driver.eventLoop.assumeIsolated().execute { [self] in end(nil) }
        case .connecting(let channel, _):
            state = .givingUp
            channel?.close(promise: nil)
        case .connected(let channel):
            state = .givingUp
            batched.removeAll()
            channel.close(promise: nil)
        case .givingUp, .closed:
            break
        }
    }

    private func attempt(_ addresses: ArraySlice<SocketAddress>, each share: TimeAmount, lastError: (any Error)? = nil)
    {
        guard let address = addresses.first else {
            end(lastError ?? DeviceAddressError.noAddress(device))
            return
        }
        state = .connecting(nil, remaining: addresses.dropFirst())
        let bound = NIOLoopBound(self, eventLoop: driver.eventLoop)
        ClientBootstrap(group: driver.eventLoop)
            .connectTimeout(share)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = bound.value
                    try connection.adopt(channel)
                    let spoken = connection.applicationProtocol
                    let http = HTTPPipeline.device("\(connection.device)", speaking: spoken)
                    try channel.pipeline.syncOperations.addHandlers(
                        (http.isEmpty ? [] : [ArrivalHandler(connection)] + http) + [
                            UpstreamHandler(connection, spoken)
                        ]
                    )
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { [self] result in
                switch (result, state) {
                case (.success(let channel), .connecting):
                    state = .connected(channel)
                    if !applicationProtocol.messages.isHTTP { direct = DirectSocket(channel) }
                    // Not channelInactive: a channel that closes before it is fully active never tells of it.
                    channel.closeFuture.assumeIsolated().whenComplete { _ in self.closedSoon() }
                    driver.upstreamConnected(link)
                case (.success(let channel), _):
                    channel.close().assumeIsolated().whenComplete { _ in self.end(nil) }
                case (.failure(let error), .connecting(_, let remaining)):
                    attempt(remaining, each: share, lastError: error)
                case (.failure, _):
                    end(nil)
                }
            }
    }

    /// Keeps the channel of the attempt, so that it can be given up.
    private func adopt(_ channel: any Channel) throws {
        guard case .connecting(_, let remaining) = state else { throw ChannelError.alreadyClosed }
        state = .connecting(channel, remaining: remaining)
    }

    private func end(_ reason: (any Error)?) {
        if case .closed = state { return }
        state = .closed
        unsent(batched.map(\.request))
        driver.upstreamClosed(link, reason: reason, midResponse: isMidResponse)
    }
}

extension UpstreamConnection {
    func received(_ frame: ByteBuffer) {
        if isWriting, !applicationProtocol.framing.carriesTransactionIDs {
            early.append(frame)
        } else {
            driver.receiveResponse(frame, on: link)
        }
    }

    func receivedDamage() {
        driver.receiveDamagedResponse(.checksum, on: link)
    }

    /// The request that the device is to answer next, where the wire has no ids.
    var awaited: Request? { driver.awaited }

    /// Notes why the connection is about to end.
    func failed(_ error: any Error) {
        reason = reason ?? error
    }

    /// In the loop's next turn: requests that are being sent now are told of first.
    private func closedSoon() {
        driver.eventLoop.assumeIsolated().execute { self.closed() }
    }

    private func closed() {
        if case .givingUp = state { end(nil) } else { end(reason ?? UpstreamError.closedByDevice) }
    }
}

/// Cuts the device's bytes into messages.
private final class UpstreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: UpstreamConnection
    private let framing: any Framing
    private let rules: any MessageRules
    private let carriesTransactionIDs: Bool
    private var received = FrameBuffer()
    private var state = State.reading
    /// What is left in `received` began to come before the next request was sent, and so cannot answer it.
    private var hasBegunEarly = false
    private var silence: Scheduled<Void>?

    private enum State {
        /// Exits: awaitingSilence, closing.
        case reading
        /// A damaged message came; what follows cannot be told from its remains. Exits: reading.
        case awaitingSilence
        /// What came cannot be read.
        case closing
    }

    /// After so long without a byte the next one begins a message.
    ///
    /// A serial line needs a few milliseconds; what lies between it and us may hold bytes back for longer.
    private static let leastSilence = TimeAmount.milliseconds(100)

    init(_ connection: UpstreamConnection, _ applicationProtocol: ApplicationProtocol) {
        self.connection = connection
        framing = applicationProtocol.framing
        rules = applicationProtocol.messageRules
        carriesTransactionIDs = framing.carriesTransactionIDs
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.isMidResponse = true
        switch state {
        case .closing:
            break
        case .awaitingSilence:
            awaitSilence(context)
        case .reading:
            received.append(unwrapInboundIn(data))
            do throws(FramingError) {
                try takeMessages()
            } catch {
                received.clear()
                // Then the damaged message was the answer, and no other one will come.
                let wasAnswer = error.isDamage && awaitsAnswer && !hasBegunEarly
                wasAnswer ? awaitSilence(context) : close(context, after: error)
            }
        }
    }

    private func takeMessages() throws(FramingError) {
        guard !carriesTransactionIDs else {
            while let message = try received.nextFrame(framing, .response) {
                connection.isMidResponse = !received.isEmpty
                connection.received(message)
            }
            return
        }
        var answer: ByteBuffer?
        while let message = try received.nextFrame(framing, .response, answering: connection.awaited) {
            connection.isMidResponse = !received.isEmpty
            if !awaitsAnswer || isUnsolicited(message) {
                connection.received(message)
            } else {
                guard answer == nil, !hasBegunEarly else { throw .moreThanAsked }
                answer = message
            }
            hasBegunEarly = false
        }
        connection.isMidResponse = !received.isEmpty
        guard let answer else {
            if !awaitsAnswer, !received.isEmpty { hasBegunEarly = true }
            return
        }
        guard received.isEmpty || rules.deviceMayBegin else { throw .moreThanAsked }
        hasBegunEarly = !received.isEmpty
        connection.received(answer)
    }

    private var awaitsAnswer: Bool { connection.awaited?.expectsResponse == true }

    private func isUnsolicited(_ frame: ByteBuffer) -> Bool {
        let bytes = frame.readableBytesUInt8Span
        return rules.deviceMayBegin
            && rules.response(bytes.extracting(framing.envelope(of: bytes).message)).isUnsolicited
    }

    private func awaitSilence(_ context: ChannelHandlerContext) {
        state = .awaitingSilence
        silence?.cancel()
        silence = context.eventLoop.assumeIsolated().scheduleTask(in: Self.leastSilence) {
            self.state = .reading
            self.connection.isMidResponse = false
            self.connection.receivedDamage()
        }
    }

    /// What follows cannot be told apart: only a new connection can be trusted.
    private func close(_ context: ChannelHandlerContext, after error: FramingError) {
        state = .closing
        connection.failed(UpstreamError.unreadable(error))
        context.close(promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection.flush()
        context.fireChannelReadComplete()
    }

    func channelInactive(context: ChannelHandlerContext) {
        silence?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.failed(error)
        context.close(promise: nil)
    }
}

extension FramingError {
    /// Without ids any of several messages could be the answer: none is to be trusted.
    fileprivate static let moreThanAsked = FramingError("more than it was asked for")
}

/// Notes that bytes came, before other handlers keep some of them for a while.
private final class ArrivalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: UpstreamConnection

    init(_ connection: UpstreamConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.isMidResponse = true
        context.fireChannelRead(data)
    }
}
