import MultiplexerCore
import NIOCore

/// Stands in front of llhttp and gives it a head only when that is whole and beyond doubt.
///
/// Bytes after a message's end stay here until what was decided about the message is known, so llhttp never runs ahead.
/// Behind some requests that wait for their responses they stay until the later handlers read again: a client may send
/// thousands together.
final class HTTPHeadGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let direction: Direction
    private let limits: HTTPLimits
    private let stream: HTTPStream
    private var scanner: HTTPHeadScanner
    /// llhttp gets chunks up to the end of an empty line, so that it cannot run over the end of the message.
    private var emptyLines = HTTPEmptyLineFinder()
    private var received = ByteBuffer()
    /// The peer will send nothing more, and the later handlers are to hear of it after what is kept.
    private var isEndBuffered = false
    /// Whole messages may be kept.
    private var isRested = false
    private var isPassingScheduled = false

    /// A guard of messages that travel in this direction.
    init(_ direction: Direction, limits: HTTPLimits, stream: HTTPStream) {
        self.direction = direction
        self.limits = limits
        self.stream = stream
        scanner = HTTPHeadScanner(direction, limits: limits)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if received.readableBytes > 0 {
            received.discardReadBytes()
            received.writeBuffer(&bytes)
        } else {
            received = bytes
        }
        passOn(context)
    }

    func read(context: ChannelHandlerContext) {
        // A part of a head waits for the network.
        guard isRested || isEndBuffered else { return context.read() }
        // In the next tick: whoever calls `read` expects no `channelRead` before it returns.
        guard !isPassingScheduled else { return }
        isPassingScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isPassingScheduled = false
            self.goOn(context)
        }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        guard isRested || isEndBuffered else { return context.read() }
        passOn(context)
        context.fireChannelReadComplete()
        guard isEndBuffered, !isRested else { return }
        isEndBuffered = false
        endOfInput(context)
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isEndBuffered = isRested
            guard !isEndBuffered else { return }
            endOfInput(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endOfInput(context)
        stream.next = .nothing
        received.clear()
        (isRested, isEndBuffered) = (false, false)
        context.fireChannelInactive()
    }

    private func passOn(_ context: ChannelHandlerContext) {
        passPieces(context)
        stream.hasBegun = !isRested && stream.isInHead && received.readableBytes > 0 && !scanner.isAtBeginning
        stream.bufferedBytes = received.readableBytes
        if received.readableBytes == 0 { received = ByteBuffer() }
    }

    private func passPieces(_ context: ChannelHandlerContext) {
        isRested = false
        while received.readableBytes > 0 {
            guard !stream.hasManyUnanswered else {
                isRested = true
                return
            }
            do throws(HTTPViolation) {
                guard let length = try lengthOfNextPiece(), let piece = received.readSlice(length: length) else {
                    return
                }
                let (isHead, isChunked, headsRead) = (stream.isInHead, stream.isInChunks, stream.headsRead)
                context.fireChannelRead(wrapInboundOut(isHead ? unmistakable(piece) : piece))
                if isChunked { try stream.countChunked(length, limits: limits) }
                // llhttp has stopped: after an upgrade, for example, it would only pile up what comes.
                if isHead, headsRead == stream.headsRead, stream.isInHead {
                    throw HTTPViolation("a head behind which nothing can be read")
                }
            } catch {
                stop(context, error)
            }
        }
    }

    /// A head as llhttp may have it: a client's as it came, a device's mended where it has to be.
    private func unmistakable(_ head: ByteBuffer) -> ByteBuffer {
        guard direction == .response, let mended = HTTPDeviceHead(mending: head.readableBytesUInt8Span) else {
            return head
        }
        stream.isLengthOverruled = mended.isLengthOverruled
        return ByteBuffer(bytes: mended.bytes)
    }

    /// How much llhttp may have now; nil when more must come first.
    private func lengthOfNextPiece() throws(HTTPViolation) -> Int? {
        switch stream.next {
        case .head:
            let bytes = received
            guard let length = try scanner.scan(bytes.readableBytesUInt8Span) else { return nil }
            scanner = HTTPHeadScanner(direction, limits: limits, isFirst: false)
            emptyLines = HTTPEmptyLineFinder()
            stream.beginMessage()
            return length
        case .body(let length):
            return min(length, received.readableBytes)
        case .chunks:
            let bytes = received
            return emptyLines.scan(bytes.readableBytesUInt8Span)
        case .bodyToEnd:
            return received.readableBytes
        case .nothing:
            // A client that is being sent away may send what it likes. A device whose message is unsolicited is mistaken.
            guard direction == .response else {
                received.clear()
                return nil
            }
            throw HTTPViolation("more than it was asked for")
        }
    }

    private func endOfInput(_ context: ChannelHandlerContext) {
        guard case .head = stream.next, received.readableBytes > 0, !scanner.isAtBeginning else { return }
        stop(context, HTTPViolation("only a part of a message before it closed the connection"))
    }

    private func stop(_ context: ChannelHandlerContext, _ violation: HTTPViolation) {
        stream.next = .nothing
        received.clear()
        context.fireErrorCaught(violation)
    }
}

@available(*, unavailable)
extension HTTPHeadGuard: Sendable {}
