import MultiplexerCore
import NIOCore
import NIOPosix
import NIOTLS
import SecureMux
import ServerSettings

/// One Modbus/TCP request and its response over a connection of its own.
struct ProbeExchange {
    let address: DeviceAddress
    /// With what to speak TLS; nil for plain TCP.
    let tls: TLSContext?
    /// How long each step may take: name, connection, answer; the handshake's time is the context's.
    let timeout: Duration

    /// Sends the message, unit id and PDU, and returns the one that answers it.
    func response(to message: [UInt8]) async throws(ProbeFailure) -> [UInt8] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        var reason = "the name '\(address.host)' has no IP address"
        // One after the other: a device may count what is open side by side.
        for target in try await addresses(on: eventLoop) {
            do {
                return try await attempt(target, message, on: eventLoop)
            } catch let failure as ProbeFailure {
                throw failure
            } catch {
                reason = words(for: error)
            }
        }
        throw ProbeFailure(.cannotConnect, "cannot connect to \(address): \(reason)")
    }

    private func addresses(on eventLoop: any EventLoop) async throws(ProbeFailure) -> [SocketAddress] {
        let found = eventLoop.makePromise(of: [SocketAddress].self)
        let timer = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
            found.fail(ChannelError.connectTimeout(TimeAmount(timeout)))
        }
        address.resolve(on: eventLoop).cascade(to: found)
        defer { timer.cancel() }
        do {
            return try await found.futureResult.get()
        } catch {
            throw ProbeFailure(.cannotConnect, "cannot connect to \(address): \(words(for: error))")
        }
    }

    /// Throws a ``ProbeFailure`` once there was a connection, before that what the system says.
    private func attempt(
        _ target: SocketAddress,
        _ message: [UInt8],
        on eventLoop: any EventLoop
    ) async throws -> [UInt8] {
        let answer = eventLoop.makePromise(of: [UInt8].self)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(timeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let probe = ProbeHandler(message, awaitsHandshake: tls != nil, timeout: timeout, answer: answer)
                    let handlers: [any ChannelHandler] = tls.map { [TLSHandler(context: $0), probe] } ?? [probe]
                    try channel.pipeline.syncOperations.addHandlers(handlers)
                }
            }
            .connect(to: target)
            .cascadeFailure(to: answer)
        return try await answer.futureResult.get()
    }

    private func words(for error: any Error) -> String {
        switch error {
        case let error as IOError:
            error.words
        case ChannelError.connectTimeout:
            "nobody answered within \(timeout.shortText)"
        default:
            "\(error)"
        }
    }
}

/// Sends the request and waits for its answer, or for the end of the time or of the connection.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let transactionID: UInt16 = 1
    private let framing = ModbusTCPFraming()
    private let message: [UInt8]
    private let awaitsHandshake: Bool
    private let timeout: Duration
    private let answer: EventLoopPromise<[UInt8]>
    private var input: [UInt8] = []
    private var timer: Scheduled<Void>?

    init(_ message: [UInt8], awaitsHandshake: Bool, timeout: Duration, answer: EventLoopPromise<[UInt8]>) {
        self.message = message
        self.awaitsHandshake = awaitsHandshake
        self.timeout = timeout
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        if !awaitsHandshake {
            send(context)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            send(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        let bytes = input
        do throws(FramingError) {
            guard
                let length = try framing.frameLength(in: bytes.span, .response, respondingTo: nil),
                bytes.count >= length
            else { return }
            let frame = Array(bytes[..<length])
            let envelope = framing.envelope(of: frame.span)
            guard envelope.transactionID == Self.transactionID else {
                let reason = "transaction \(envelope.transactionID) instead of \(Self.transactionID)"
                return fail(ProbeFailure(.malformedAnswer, "the answer belongs to \(reason)"), context)
            }
            answer.succeed(Array(frame[envelope.message]))
            context.close(promise: nil)
        } catch {
            fail(failure(forUnreadable: error), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(closed(""), context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let refusal as TLSRefusal:
            fail(ProbeFailure(refusal), context)
        case let error as IOError:
            fail(closed(" (\(error.words))"), context)
        default:
            fail(closed(" (\(error))"), context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    private func send(_ context: ChannelHandlerContext) {
        let message = message
        var frame: [UInt8] = []
        framing.seal(message.span, transactionID: Self.transactionID, into: &frame)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeout)) {
            self.fail(ProbeFailure(.noAnswer, "connected, but no answer within \(self.timeout.shortText)"), context)
        }
    }

    private func fail(_ failure: ProbeFailure, _ context: ChannelHandlerContext) {
        answer.fail(failure)
        context.close(promise: nil)
    }

    private func closed(_ reason: String) -> ProbeFailure {
        guard input.isEmpty else {
            return ProbeFailure(.malformedAnswer, "the connection was closed in the middle of the answer\(reason)")
        }
        let causes =
            awaitsHandshake
            ? "see the log of the other side"
            : """
            the address of this machine may not be on the allow-list, the listener may want TLS (--tls), or a device has \
            no free connection
            """
        return ProbeFailure(.closedBeforeAnswer, "the connection was closed before any answer\(reason): \(causes)")
    }

    private func failure(forUnreadable error: FramingError) -> ProbeFailure {
        // A TLS alert: record type 21, version 3.x.
        if input.starts(with: [0x15, 0x03]) {
            return ProbeFailure(.tls, "the listener speaks TLS: give --tls and --ca")
        }
        return ProbeFailure(.malformedAnswer, "the other side sent \(error)")
    }
}

extension ProbeFailure {
    fileprivate init(_ refusal: TLSRefusal) {
        let kind: Kind =
            switch refusal.kind {
            case .hungUp: .closedBeforeAnswer
            case .timedOut: .noAnswer
            default: .tls
            }
        self.init(kind, refusal.namingOptions)
    }
}
