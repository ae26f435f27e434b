import MultiplexerCore
import NIOCore
import SecureMux

/// One connection of a simulated device: cuts requests from the stream and answers them one after the other.
final class DeviceConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A client that sends more than this ahead of its answers is not read from, except for the rest of a longer message.
    private static let bufferLimit = 65_536

    private let device: SimulatedDevice
    private let framing: any Framing
    private var input = ByteBuffer()
    private var isAdmitted = false
    /// The device has accepted the connection and says nothing on it.
    private var isSilent = false
    private var responses = 0
    /// A request is being worked on, or the device is not ready yet.
    private var isBusy = false
    private var hasSwallowed: Bool
    private var inputHasEnded = false
    /// The input is the beginning of a message, whose length the framing limits.
    private var isInMessage = false
    private var wantsRead = false
    private var peer = ""
    private var endReason = "closed by the client"
    private var lastActivity = NIODeadline.now()
    private var work: Scheduled<Void>?
    private var idleCheck: Scheduled<Void>?

    init(of device: SimulatedDevice) {
        self.device = device
        framing = device.framing
        hasSwallowed = !device.configuration.swallowsFirstRequest
    }

    func channelActive(context: ChannelHandlerContext) {
        guard device.admits(context.channel) else {
            context.close(promise: nil)
            return
        }
        isAdmitted = true
        peer = context.channel.peerName
        let fault = device.faultOfNextConnection()?.fault
        if let fault { device.count(fault) }
        guard fault != .refuse else {
            close("as a fault: refused", context)
            return
        }
        isSilent = fault == .silent
        startIdleCheck(context)
        wait(device.configuration.readyAfter, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        work?.cancel()
        idleCheck?.cancel()
        if isAdmitted {
            device.ended(context.channel, peer, because: endReason)
        }
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isAdmitted else { return }
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        lastActivity = .now()
        serve(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        serve(context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            inputHasEnded = true
            serve(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        endReason = "\(error)"
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead {
            context.read()
        } else {
            wantsRead = true
        }
    }

    /// Someone other than this handler closes the connection: the device.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        endReason = "closed by the device"
        context.close(mode: mode, promise: promise)
    }

    /// Takes up the next request, if there is one and the device is free.
    private func serve(_ context: ChannelHandlerContext) {
        while isAdmitted, !isBusy, context.channel.isActive, context.channel.isWritable {
            do throws(FramingError) {
                guard let frame = try nextFrame() else {
                    if inputHasEnded {
                        context.close(promise: nil)
                    }
                    break
                }
                receive(frame, context)
            } catch {
                device.countMalformed(from: peer, error)
                guard !error.isDamage else {
                    // As on a serial line: no one answers, and what comes later is read again.
                    input.clear()
                    break
                }
                endReason = "what it sent cannot be read"
                context.close(promise: nil)
                return
            }
        }
        if wantsRead, mayRead {
            wantsRead = false
            context.read()
        }
    }

    private var mayRead: Bool { isInMessage || input.readableBytes < Self.bufferLimit }

    private func nextFrame() throws(FramingError) -> [UInt8]? {
        isInMessage = true
        let bytes = input
        guard
            let length = try framing.frameLength(in: bytes.readableBytesUInt8Span, .request, respondingTo: nil),
            let frame = input.readBytes(length: length)
        else { return nil }
        isInMessage = false
        input.discardReadBytes()
        return frame
    }

    private func receive(_ frame: [UInt8], _ context: ChannelHandlerContext) {
        device.countReceived()
        guard hasSwallowed else {
            hasSwallowed = true
            device.countSwallowed(from: peer)
            return
        }
        guard !isSilent else { return }
        let fault = device.faultOfNextRequest()
        guard fault?.fault != .swallow else { return device.count(.swallow) }
        wait(device.configuration.responseDelay, context) { self.respond(to: frame, fault, $0) }
    }

    private func respond(to frame: [UInt8], _ fault: FaultRule?, _ context: ChannelHandlerContext) {
        let envelope = framing.envelope(of: frame.span)
        let response = device.serve(Array(frame[envelope.message]))
        lastActivity = .now()
        guard let response else { return }
        if let fault { device.count(fault.fault) }
        let right = seal(response, envelope.transactionID)
        // One bit away: whoever takes it for the answer shows it.
        let other = seal(damaged(response, at: response.count - 1), envelope.transactionID ^ 0x8000)
        switch fault?.fault {
        case .late:
            sendLater(right, after: fault?.delay ?? .zero, context)
        case .lost:
            break
        case .duplicate:
            send(right + right, context)
        case .wrongID:
            send(other, context)
        case .wrongUnit:
            send(seal(damaged(response, at: 0, response.count - 1), envelope.transactionID), context)
        case .wrongFunction:
            send(seal(damaged(response, at: 1, response.count - 1), envelope.transactionID), context)
        case .garbage:
            send(device.garbage(), context)
        case .half:
            send(Array(right.prefix(right.count / 2)), context)
            close("as a fault: in the middle of an answer", context)
        case .close:
            close("as a fault: before the answer", context)
        case .unsolicited:
            // Without ids, what comes first is the answer.
            send(framing.carriesTransactionIDs ? other + right : right + other, context)
        case .swallow, .silent, .refuse, nil:
            send(right, context)
        }
        responses += 1
        if let limit = device.configuration.closesAfter, responses >= limit {
            close("after \(limit) answers", context)
        }
    }

    private func seal(_ message: [UInt8], _ transactionID: UInt16) -> [UInt8] {
        var output: [UInt8] = []
        framing.seal(message.span, transactionID: transactionID, into: &output)
        return output
    }

    /// The message with a bit turned in each of these bytes.
    private func damaged(_ message: [UInt8], at indices: Int...) -> [UInt8] {
        var message = message
        for index in Set(indices) where message.indices.contains(index) {
            message[index] ^= 1
        }
        return message
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func sendLater(_ bytes: [UInt8], after delay: Duration, _ context: ChannelHandlerContext) {
        _ = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            guard context.channel.isActive else { return }
            self.lastActivity = .now()
            self.send(bytes, context)
        }
    }

    private func close(_ reason: String, _ context: ChannelHandlerContext) {
        endReason = "closed by the device \(reason)"
        context.close(promise: nil)
    }

    /// Does something when `delay` is over, and nothing else until then.
    private func wait(
        _ delay: Duration,
        _ context: ChannelHandlerContext,
        _ action: @escaping (ChannelHandlerContext) -> Void = { _ in }
    ) {
        guard delay > .zero else { return action(context) }
        isBusy = true
        work = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            self.isBusy = false
            action(context)
            self.serve(context)
        }
    }

    private func startIdleCheck(_ context: ChannelHandlerContext) {
        guard let timeout = device.configuration.idleTimeout.map(TimeAmount.init) else { return }
        checkIdle(after: timeout, timeout, context)
    }

    private func checkIdle(after delay: TimeAmount, _ timeout: TimeAmount, _ context: ChannelHandlerContext) {
        idleCheck = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            let idle = NIODeadline.now() - self.lastActivity
            if idle >= timeout, !self.isBusy {
                self.endReason = "idle for too long"
                context.close(promise: nil)
            } else {
                self.checkIdle(after: max(timeout - idle, .milliseconds(1)), timeout, context)
            }
        }
    }
}
