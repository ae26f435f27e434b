import Logging
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Those who are connected to a control socket, on its loop.
final class ControlConnections {
    /// How many there may be: they share the process's descriptors with clients.
    private static let limit = 32

    let logger: Logger
    let answer: ControlSocket.Answer
    /// The oldest one first.
    private var all: [ControlConnection] = []

    init(logger: Logger, answer: @escaping ControlSocket.Answer) {
        (self.logger, self.answer) = (logger, answer)
    }

    /// Whether there is room for one more; whoever has asked nothing for the longest time makes some.
    func add(_ connection: ControlConnection) -> Bool {
        if all.count >= Self.limit {
            guard let silent = all.first(where: \.isSilent) else { return false }
            remove(silent)
            silent.close()
        }
        all.append(connection)
        return true
    }

    func remove(_ connection: ControlConnection) { all.removeAll { $0 === connection } }
}

/// One who is connected to a control socket: asks one thing, is told what came of it, and is let go.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long one may take to ask, and to take the response.
    private static let limit = TimeAmount.seconds(5)

    private let connections: ControlConnections
    private var received: [UInt8] = []
    private var state = State.arriving
    private var channel: (any Channel)?
    private var deadline: Scheduled<Void>?

    private enum State {
        /// Who it is, is not known yet. Exits: asking, ended.
        case arriving
        /// The request is not whole yet. Exits: waiting, ended.
        case asking
        /// What it asked for is being done. Exits: ended.
        case waiting
        /// It has the response, or is gone.
        case ended
    }

    init(in connections: ControlConnections) {
        self.connections = connections
    }

    /// Whether it has not asked for anything.
    var isSilent: Bool { state == .arriving || state == .asking }

    /// Cuts it off.
    func close() { channel?.close(promise: nil) }

    func channelActive(context: ChannelHandlerContext) {
        channel = context.channel
        guard connections.add(self) else { return context.close(promise: nil) }
        setDeadline(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        PeerUser.of(context.channel).whenComplete { user in
            let (connection, context) = bound.value
            connection.identified(try? user.get(), context)
        }
    }

    private func identified(_ user: uid_t?, _ context: ChannelHandlerContext) {
        guard state == .arriving else { return }
        state = .asking
        guard let user, user == geteuid() || user == 0 else {
            connections.logger.warning(
                "somebody else's program was refused at the control socket",
                metadata: ["user": "\(user.map { "\($0)" } ?? "unknown")"]
            )
            return respond(.failed(["only the server's own user and root may control it"]), context)
        }
        proceed(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isSilent else { return }
        received += unwrapInboundIn(data).readableBytesView
        proceed(context)
    }

    private func proceed(_ context: ChannelHandlerContext) {
        let end = received.firstIndex(of: UInt8(ascii: "\n"))
        guard (end ?? received.count) <= ControlRequest.longest else {
            if state == .asking {
                respond(.failed(["a request has \(ControlRequest.longest) bytes at most"]), context)
            } else {
                context.close(promise: nil)
            }
            return
        }
        guard state == .asking, let end else { return }
        guard let request = ControlRequest(controlLine: received[..<end]) else {
            return respond(.failed(["a request is a line of JSON, such as {\"command\":\"reload\"}"]), context)
        }
        (state, received) = (.waiting, [])
        deadline?.cancel()
        // What else comes is not wanted.
        context.channel.setOption(.autoRead, value: false).assumeIsolated().whenFailure { _ in }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.makeFutureWithTask { [answer = connections.answer] in await answer(request) }
            .whenSuccess { response in
                let (connection, context) = bound.value
                connection.respond(response, context)
            }
    }

    private func respond(_ response: ControlResponse, _ context: ChannelHandlerContext) {
        guard state != .ended else { return }
        (state, received) = (.ended, [])
        setDeadline(context)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: response.line()))).assumeIsolated()
            .whenComplete { [self] _ in close() }
    }

    private func setDeadline(_ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.limit) { [self] in close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        state = .ended
        deadline?.cancel()
        deadline = nil
        channel = nil
        connections.remove(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Whose program is at the other end of a Unix socket, as the system knows it.
private enum PeerUser {
    static func of(_ channel: any Channel) -> EventLoopFuture<uid_t> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        #if canImport(Darwin)
            let credentials: EventLoopFuture<xucred> = socket.unsafeGetSocketOption(
                level: .init(rawValue: SOL_LOCAL),
                name: .init(rawValue: LOCAL_PEERCRED)
            )
            return credentials.map(\.cr_uid)
        #else
            // Linux's `struct ucred` (unix(7)): process, user and group. Glibc hides it from all but its own extensions.
            let credentials: EventLoopFuture<InlineArray<3, UInt32>> = socket.unsafeGetSocketOption(
                level: .socket,
                name: .init(rawValue: SO_PEERCRED)
            )
            return credentials.map { $0[1] }
        #endif
    }
}
