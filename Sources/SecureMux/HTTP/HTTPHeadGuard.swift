import MultiplexerCore
import NIOCore

/// Stands in front of llhttp and gives it a head only when that is whole and beyond doubt.
///
/// Bytes behind a message's end stay here until what was decided about the message is known, so llhttp never runs ahead.
final class HTTPHeadGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let direction: Direction
    private let limits: HTTPLimits
    private let stream: HTTPStream
    private var scanner: HTTPHeadScanner
    /// llhttp gets chunks up to the end of an empty line, so that it cannot run over the end of the message.
    private var emptyLines = HTTPEmptyLineFinder()
    private var received = ByteBuffer()

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
        stream.hasBegun = stream.isInHead && received.readableBytes > 0 && !scanner.isAtBeginning
        stream.heldBytes = received.readableBytes
        if received.readableBytes == 0 { received = ByteBuffer() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { endOfInput(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        endOfInput(context)
        stream.next = .nothing
        received.clear()
        context.fireChannelInactive()
    }

    private func passOn(_ context: ChannelHandlerContext) {
        while received.readableBytes > 0 {
            do throws(HTTPViolation) {
                guard let length = try lengthOfNextPiece(), let piece = received.readSlice(length: length) else {
                    return
                }
                let (isHead, isChunked, headsRead) = (stream.isInHead, stream.isInChunks, stream.headsRead)
                context.fireChannelRead(wrapInboundOut(piece))
                if isChunked { try stream.countChunked(length, limits: limits) }
                // llhttp has stopped: behind an upgrade, for example, it would only pile up what comes.
                if isHead, headsRead == stream.headsRead, stream.isInHead {
                    throw HTTPViolation("a head behind which nothing can be read")
                }
            } catch {
                stop(context, error)
            }
        }
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
            return emptyLines.take(from: bytes.readableBytesUInt8Span)
        case .bodyToEnd:
            return received.readableBytes
        case .nothing:
            // A client that is being sent away may send what it likes. A device that speaks unasked is mistaken.
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
