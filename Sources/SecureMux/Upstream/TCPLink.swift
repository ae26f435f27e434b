import DequeModule
import MultiplexerCore
import NIOCore
import NIOPosix

/// One connection to the device, from the attempt to its end.
///
/// Addresses of a name are tried one after the other, never side by side as elsewhere: the device must not see a second
/// connection, not even for a moment.
final class TCPLink: Link {
    let id: LinkID

    private let device: DeviceAddress
    private let source: SourceAddress?
    private let applicationProtocol: ApplicationProtocol
    private let wire: Wire
    private let timeout: TimeAmount
    private let owner: any LinkOwner
    private var state = State.resolving
    private var reason: (any Error)?
    /// Bytes have come that belong to no message yet.
    var isMidResponse = false
    /// Reads what the device sends, until the end.
    private var handler: LinkHandler?
    /// All that leaves for the device.
    let output = SocketOutput()
    /// Whether a handler makes something else of what is written, and of what comes.
    private let isBehindHandlers: Bool
    private var isWriting = false
    /// What came while a request was being written, on a wire without ids.
    ///
    /// A write that fails reads what is left first. If nothing of the request has left, none of that can answer it.
    private var early: Deque<Arrival> = []

    private enum Arrival {
        case message(ByteBuffer)
        case damage(ResponseDamage)
    }

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
    init(
        _ id: LinkID,
        to device: DeviceAddress,
        from source: SourceAddress? = nil,
        speaking applicationProtocol: ApplicationProtocol,
        timeout: TimeAmount,
        owner: any LinkOwner
    ) {
        self.id = id
        self.device = device
        self.source = source
        self.applicationProtocol = applicationProtocol
        wire = applicationProtocol.wire
        isBehindHandlers = applicationProtocol.messages.isHTTP
        self.timeout = timeout
        self.owner = owner
    }

    /// Looks the device up and connects.
    func connect() {
        device.resolve(on: owner.eventLoop).assumeIsolated().whenComplete { [self] result in
            guard case .resolving = state else { return }
            switch result {
            case .success(let addresses):
                attempt(addresses[...], each: .nanoseconds(timeout.nanoseconds / Int64(max(addresses.count, 1))))
            case .failure(let error): end(error)
            }
        }
    }

    /// Sends the frame of a request, or tells the owner that no byte of it has left.
    ///
    /// With a call of its own, since some devices read one request a segment.
    func write(_ frame: [UInt8], of request: RequestID) {
        guard case .connected(let channel) = state, channel.isActive else {
            owner.requestUnsent(request, on: id)
            return
        }
        handler?.requestSent()
        guard let rest = send(frame, to: channel) else { return }
        // A write that fails closes the channel at once. Of a few bytes the system takes all or nothing.
        if rest.bytes == frame.count, !channel.isActive, rest.isDead || rest.bytes <= Self.wholeWrite {
            owner.requestUnsent(request, on: id)
        }
        while let arrival = early.popFirst() { tell(arrival) }
    }

    /// Has a frame leave, and returns what is left of it.
    ///
    /// From a dead socket the channel reads what is left, and then closes it.
    private func send(_ frame: [UInt8], to channel: any Channel) -> SocketOutput.Remainder? {
        isWriting = true
        defer { isWriting = false }
        guard isBehindHandlers else { return output.send(frame) }
        channel.writeAndFlush(ByteBuffer(bytes: frame), promise: nil)
        return SocketOutput.Remainder(bytes: frame.count, isDead: false)
    }

    /// This many bytes fit into any send buffer at once, in addition to those of the other requests in flight.
    private static let wholeWrite = 512

    /// Closes the connection or gives the attempt up.
    func close() {
        switch state {
        case .resolving:
            // A look-up cannot be called back; its result is ignored. The end is told later, as an end always is.
            state = .givingUp
            owner.eventLoop.assumeIsolated().execute { [self] in end(nil) }
        case .connecting(let channel, _):
            state = .givingUp
            channel?.close(promise: nil)
        case .connected(let channel):
            state = .givingUp
            if source?.port != nil, output.unsent == 0 {
                channel.closeLeavingPortFree()
            } else {
                channel.close(promise: nil)
            }
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
        let bootstrap: ClientBootstrap
        do {
            bootstrap = try self.bootstrap(toReach: address)
        } catch {
            return attempt(addresses.dropFirst(), each: share, lastError: error)
        }
        let bound = NIOLoopBound(self, eventLoop: owner.eventLoop)
        bootstrap
            .connectTimeout(share)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = bound.value
                    try connection.adopt(channel)
                    let spoken = connection.applicationProtocol
                    let http = HTTPPipeline.device("\(connection.device)", speaking: spoken)
                    let handler = LinkHandler(connection, connection.wire, isHead: http.isEmpty)
                    connection.handler = handler
                    // Where nothing stands between, the handler itself is at the socket: each costs time for each answer.
                    let socket: [any ChannelHandler] = http.isEmpty ? [] : [LinkSocketHandler(connection)]
                    try channel.pipeline.syncOperations.addHandlers(socket + http + [handler])
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenComplete { [self] result in
                switch (result, state) {
                case (.success(let channel), .connecting):
                    state = .connected(channel)
                    output.opened(channel)
                    // Not channelInactive: a channel that closes before it is fully active never tells of it.
                    channel.closeFuture.assumeIsolated().whenComplete { _ in self.closedSoon() }
                    owner.linkConnected(id)
                case (.success(let channel), _):
                    channel.close().assumeIsolated().whenComplete { _ in self.end(nil) }
                case (.failure(let error), .connecting(_, let remaining)):
                    attempt(remaining, each: share, lastError: error)
                case (.failure, _):
                    end(nil)
                }
            }
    }

    private func bootstrap(toReach address: SocketAddress) throws(SourceAddressError) -> ClientBootstrap {
        let bootstrap = ClientBootstrap(group: owner.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .findingDeadPeers()
        guard let source else { return bootstrap }
        return
            bootstrap
            // The port may belong to a connection to somebody else, too.
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(to: try source.socketAddress(toReach: address))
    }

    /// Keeps the channel of the attempt, so that it can be given up.
    private func adopt(_ channel: any Channel) throws {
        guard case .connecting(_, let remaining) = state else { throw ChannelError.alreadyClosed }
        state = .connecting(channel, remaining: remaining)
    }

    private func end(_ reason: (any Error)?) {
        if case .closed = state { return }
        state = .closed
        handler = nil
        output.closed()
        owner.linkClosed(id, reason: reason, midResponse: isMidResponse)
    }
}

// MARK: - What the device sent

extension TCPLink {
    /// The device sent a message.
    func received(_ frame: ByteBuffer) { received(.message(frame)) }

    /// An answer came damaged.
    func received(_ damage: ResponseDamage) { received(.damage(damage)) }

    private func received(_ arrival: Arrival) {
        if isWriting, !wire.carriesTransactionIDs {
            early.append(arrival)
        } else {
            tell(arrival)
        }
    }

    private func tell(_ arrival: Arrival) {
        switch arrival {
        case .message(let frame): owner.receiveResponse(frame, on: id)
        case .damage(let damage): owner.receiveDamagedResponse(damage, on: id)
        }
    }

    /// Bytes came that are no message, and were dropped.
    func receivedNoise(bytes: Int) {
        owner.receiveNoise(bytes: bytes, on: id)
    }

    /// The request that the device is to answer next, where the wire has no ids.
    var awaited: Request? { owner.awaited }

    /// Notes why the connection is about to end.
    func failed(_ error: any Error) {
        reason = reason ?? error
    }

    /// In the loop's next tick: requests that are being sent now are told of first.
    private func closedSoon() {
        owner.eventLoop.assumeIsolated().execute { self.closed() }
    }

    private func closed() {
        if case .givingUp = state { end(nil) } else { end(reason ?? UpstreamError.closedByDevice) }
    }
}
