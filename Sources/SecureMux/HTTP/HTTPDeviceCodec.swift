import MultiplexerCore
import NIOCore
import NIOHTTP1

/// Turns records into what the device gets, and what it answers into records.
///
/// A response becomes a record when all of it has come and nothing came after it; a damaged one is never passed on. The
/// connection is of no more use then, which the error says that goes up the pipeline.
final class HTTPDeviceCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTPClientRequestPart

    private let rules: HTTPResponseRules
    private let limits: HTTPLimits
    private let stream: HTTPStream
    /// For clients that do not say which host they mean.
    private let host: String
    private var state = State.idle
    /// What has come of the body.
    private var body = ByteBuffer()
    /// Whether the request in flight has a body, which the device may leave unread.
    private var hasRequestBody = false
    /// Whether the system has taken the whole request.
    private var isRequestWritten = false

    private enum State {
        /// Exits: awaiting, ended.
        case idle
        /// A request was sent. Exits: receiving, ended.
        case awaiting(isHEAD: Bool)
        /// The head and a part of the body have come. Exits: complete, ended.
        case receiving(HTTPResponsePlan)
        /// All of the response has come; whether more did is seen at the end of the read. Exits: idle, ended.
        case complete(ByteBuffer)
        /// Nothing that comes is to be trusted.
        case ended
    }

    /// A codec after the guard that has the same `stream`, for the device with this address.
    init(host: String, limits: HTTPLimits, stream: HTTPStream) {
        rules = HTTPResponseRules(limits: limits)
        self.limits = limits
        self.stream = stream
        self.host = host
    }
}

// MARK: - Requests

extension HTTPDeviceCodec {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .idle = state, let request = HTTPRequestRecord(unwrapOutboundIn(data)) else {
            promise?.fail(ChannelError.operationUnsupported)
            fail(HTTPViolation("nothing yet when the next request was sent"), context)
            return
        }
        state = .awaiting(isHEAD: request.method == .HEAD)
        stream.next = .head
        hasRequestBody = request.body.map { $0.readableBytes > 0 } ?? false
        isRequestWritten = false
        let written = promise ?? context.eventLoop.makePromise()
        written.futureResult.assumeIsolated().whenSuccess { self.isRequestWritten = true }
        let parts = parts(of: request)
        for part in parts.dropLast() { context.write(wrapOutboundOut(part), promise: nil) }
        if let last = parts.last { context.write(wrapOutboundOut(last), promise: written) }
    }

    private func parts(of request: HTTPRequestRecord) -> [HTTPClientRequestPart] {
        var head = HTTPRequestHead(
            version: .http1_1,
            method: request.method,
            uri: request.target,
            headers: request.headers
        )
        if !head.headers.contains(name: "host") { head.headers.add(name: "Host", value: host) }
        guard let body = request.body else {
            if request.method.announcesBody { head.headers.add(name: "Content-Length", value: "0") }
            return [.head(head), .end(nil)]
        }
        // Chunks only where trailers need them: not every gadget can read them.
        let trailers = request.trailers.isEmpty ? nil : request.trailers
        if trailers == nil {
            head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
        } else {
            head.headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        return [.head(head)] + (body.readableBytes > 0 ? [.body(.byteBuffer(body))] : []) + [.end(trailers)]
    }
}

extension HTTPMethod {
    /// Whether a server would wonder at a request with this method and no length at all (RFC 9110, section 8.6).
    fileprivate var announcesBody: Bool { self == .POST || self == .PUT || self == .PATCH }
}

// MARK: - Responses

extension HTTPDeviceCodec {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(HTTPViolation) {
            switch (unwrapInboundIn(data), state) {
            case (.head(let head), .awaiting(let isHEAD)): try begin(head, toHEAD: isHEAD)
            case (.body(let part), .receiving): try append(part)
            case (.end(let trailers), .receiving(let plan)): try end(plan, trailers)
            default: break
            }
        } catch {
            fail(error, context)
        }
    }

    private func begin(_ head: HTTPResponseHead, toHEAD isHEAD: Bool) throws(HTTPViolation) {
        stream.countHead()
        guard let plan = try rules.plan(head, toHEAD: isHEAD) else { return }
        state = .receiving(plan)
        switch plan.framing {
        case .none: stream.next = .nothing
        case .length(let length): stream.next = .body(length)
        case .chunked: stream.next = .chunks
        case .untilEnd: stream.next = .bodyToEnd
        }
    }

    private func append(_ part: ByteBuffer) throws(HTTPViolation) {
        guard body.readableBytes + part.readableBytes <= limits.body else {
            throw HTTPViolation("a body longer than \(limits.body) bytes")
        }
        body.writeImmutableBuffer(part)
        stream.payload = body.readableBytes
        if case .body(let length) = stream.next { stream.next = .body(length - part.readableBytes) }
    }

    private func end(_ plan: HTTPResponsePlan, _ trailers: HTTPHeaders?) throws(HTTPViolation) {
        let trailers = trailers?.trimmed ?? HTTPHeaders()
        try HTTPFields.check(trailers: trailers)
        if plan.framing == .untilEnd, !isRequestWritten {
            // The connection failed: its end is not that of the body.
            throw HTTPViolation("only a part of a response")
        }
        var record = HTTPResponseRecord(
            status: plan.status,
            headers: plan.headers,
            declaredLength: plan.declaredLength,
            body: plan.framing == .none ? nil : body,
            trailers: trailers,
            // A device that leaves a body unread would take what stands in it for the next request, and its answer to that
            // would go to another client. So would one that ends elsewhere than its chunks say.
            isLast: plan.isLast || hasRequestBody || !isRequestWritten || stream.isLengthOverruled
        )
        if let announced = plan.announcedTrailers, !record.trailers.isEmpty {
            record.headers.add(name: "Trailer", value: announced)
        }
        body = ByteBuffer()
        state = .complete(record.frame)
        stream.next = .nothing
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .complete = state {
            // In the loop's next tick: an end of the connection that is here already comes first, and costs nobody a request.
            context.eventLoop.assumeIsolated().execute { self.deliver(context) }
        }
        context.fireChannelReadComplete()
    }

    /// The response must be out of the way before it is passed on: the next request may be sent while that happens.
    private func deliver(_ context: ChannelHandlerContext) {
        guard case .complete(let frame) = state else { return }
        state = .idle
        context.fireChannelRead(wrapInboundOut(frame))
        context.fireChannelReadComplete()
    }
}

// MARK: - The end

extension HTTPDeviceCodec {
    private func fail(_ violation: HTTPViolation, _ context: ChannelHandlerContext) {
        if case .ended = state { return }
        state = .ended
        stream.next = .nothing
        body = ByteBuffer()
        context.fireErrorCaught(UpstreamError.unreadable(FramingError(violation.description)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let violation = HTTPViolation(parser: error, inHead: stream.isInHead) {
            fail(violation, context)
        } else {
            // What is complete stands. A body that was to end with the connection has not ended cleanly.
            deliver(context)
            state = .ended
            context.fireErrorCaught(error)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // What we end ourselves is not the end of a body.
        state = .ended
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deliver(context)
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension HTTPDeviceCodec: Sendable {}
