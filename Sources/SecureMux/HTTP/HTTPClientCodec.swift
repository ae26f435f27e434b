import DequeModule
import MultiplexerCore
import NIOCore
import NIOHTTP1

/// Turns what a client sends into records, and records into what it gets; sends it away when its requests are in doubt.
///
/// A request becomes a record when all of it has come. What the client gets keeps the order in which it asked, refusals
/// included.
final class HTTPClientCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTPServerResponsePart

    private let rules: HTTPRequestRules
    private let limits: HTTPLimits
    private let stream: HTTPStream
    private var state = State.betweenRequests
    /// Whether the request that is being received is HEAD, even when it comes to be refused.
    private var isHEAD = false
    /// What has come of the body.
    private var body = ByteBuffer()
    /// The requests that were passed on and have no response yet.
    private var unanswered: Deque<HTTPRequestPlan.Client> = [] { didSet { stream.unanswered = unanswered.count } }
    /// The client will send nothing more.
    private var hasInputEnded = false
    private var linger: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    private enum State {
        /// Exits: receiving, refused.
        case betweenRequests
        /// The head and a part of the body have come. Exits: betweenRequests, finished, refused.
        case receiving(HTTPRequestPlan, owesContinue: Bool)
        /// The client has sent the last request that it may send. Exit: leaving.
        case finished
        /// What the client sent is refused; it hears so when its earlier requests are answered. Exit: leaving.
        case refused(HTTPRefusal)
        /// It has got its last response, and our side of the connection is closed.
        case leaving
    }

    /// So long a client may take to close its side when all is sent; closing ours with unread bytes would destroy that.
    private static let lingerTime = TimeAmount.seconds(2)

    /// A codec after the guard that has the same `stream`.
    init(limits: HTTPLimits, stream: HTTPStream) {
        rules = HTTPRequestRules(limits: limits)
        self.limits = limits
        self.stream = stream
    }
}

// MARK: - Requests

extension HTTPClientCodec {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(HTTPViolation) {
            switch (unwrapInboundIn(data), state) {
            case (.head(let head), .betweenRequests): try begin(head, context)
            case (.body(let part), .receiving(let plan, _)): try append(part, plan)
            case (.end(let trailers), .receiving(let plan, _)): try end(plan, trailers, context)
            default: break
            }
        } catch {
            refuse(error, context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) throws(HTTPViolation) {
        stream.countHead()
        isHEAD = head.method == .HEAD
        let plan = try rules.plan(head)
        let hasBody: Bool
        switch plan.framing {
        case .length(let length):
            hasBody = length > 0
            stream.next = .body(length)
        case .chunked:
            hasBody = true
            stream.next = .chunks
        case nil, .some(.none), .untilEnd:
            hasBody = false
            stream.next = .head
        }
        state = .receiving(plan, owesContinue: plan.awaitsContinue && hasBody)
        sendContinue(context)
    }

    private func append(_ part: ByteBuffer, _ plan: HTTPRequestPlan) throws(HTTPViolation) {
        guard body.readableBytes + part.readableBytes <= limits.body else {
            throw HTTPViolation(413, "a body longer than \(limits.body) bytes")
        }
        body.writeImmutableBuffer(part)
        stream.payload = body.readableBytes
        state = .receiving(plan, owesContinue: false)
        if case .body(let length) = stream.next { stream.next = .body(length - part.readableBytes) }
    }

    private func end(
        _ plan: HTTPRequestPlan,
        _ trailers: HTTPHeaders?,
        _ context: ChannelHandlerContext
    ) throws(HTTPViolation) {
        let trailers = trailers?.trimmed ?? HTTPHeaders()
        try HTTPFields.check(trailers: trailers)
        guard !trailers.hasReplacedBytes else { throw HTTPViolation("a trailer field whose value is not UTF-8") }
        var record = HTTPRequestRecord(
            method: plan.method,
            target: plan.target,
            headers: plan.headers,
            body: plan.framing == nil ? nil : body,
            trailers: trailers
        )
        if let announced = plan.announcedTrailers, !record.trailers.isEmpty {
            record.headers.add(name: "Trailer", value: announced)
        }
        isHEAD = false
        body = ByteBuffer()
        unanswered.append(plan.client)
        state = plan.client.keepsAlive ? .betweenRequests : .finished
        stream.next = plan.client.keepsAlive ? .head : .nothing
        context.fireChannelRead(wrapInboundOut(record.frame))
    }

    /// Lets the client send the body that it holds back, once it has got everything in front of it.
    private func sendContinue(_ context: ChannelHandlerContext) {
        guard case .receiving(let plan, owesContinue: true) = state, unanswered.isEmpty else { return }
        state = .receiving(plan, owesContinue: false)
        context.writeAndFlush(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))),
            promise: nil
        )
    }
}

// MARK: - Responses

extension HTTPClientCodec {
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = unwrapOutboundIn(data)
        // An empty write only marks a place in the order of writes.
        guard frame.readableBytes > 0 else {
            context.write(wrapOutboundOut(.body(.byteBuffer(frame))), promise: promise)
            return
        }
        guard let client = unanswered.popFirst(), let response = HTTPClientResponse(frame) else {
            promise?.fail(ChannelError.operationUnsupported)
            context.close(promise: nil)
            return
        }
        let isLast = response.endsConnection || !client.keepsAlive
        send(response, to: client, isLast: isLast, context, promise)
        if isLast {
            leave(context)
        } else if case .refused(let refusal) = state, unanswered.isEmpty {
            sendAway(refusal, context)
        } else {
            sendContinue(context)
        }
    }

    private func send(
        _ response: HTTPClientResponse,
        to client: HTTPRequestPlan.Client,
        isLast: Bool,
        _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        let parts = response.parts(for: client, isLast: isLast)
        for part in parts.dropLast() { context.write(wrapOutboundOut(part), promise: nil) }
        if let last = parts.last { context.write(wrapOutboundOut(last), promise: promise) }
    }
}

// MARK: - The end

extension HTTPClientCodec {
    private func refuse(_ violation: HTTPViolation, _ context: ChannelHandlerContext) {
        switch state {
        case .betweenRequests, .receiving: break
        case .finished, .refused, .leaving: return
        }
        stream.next = .nothing
        body = ByteBuffer()
        let refusal = HTTPRefusal(violation: violation)
        state = .refused(refusal)
        if unanswered.isEmpty { sendAway(refusal, context) }
    }

    private func sendAway(_ refusal: HTTPRefusal, _ context: ChannelHandlerContext) {
        if let status = refusal.violation.status {
            let client = HTTPRequestPlan.Client(isHEAD: isHEAD, version: .http1_1, keepsAlive: false)
            send(HTTPClientResponse(status: status, text: refusal.reason), to: client, isLast: true, context, nil)
        }
        leave(context)
        context.fireErrorCaught(refusal)
    }

    /// Whether a request has begun, and the client is to send the rest.
    var isRestDue: Bool {
        switch state {
        case .betweenRequests: stream.hasBegun
        case .receiving(_, let owesContinue): !owesContinue
        case .finished, .refused, .leaving: false
        }
    }

    /// How many bytes of a request are kept until all of it is there.
    var bufferedBytes: Int { body.readableBytes + stream.bufferedBytes }

    /// Refuses the request that has begun, if its rest is awaited.
    func giveUp(_ violation: HTTPViolation) {
        guard let context, isRestDue else { return }
        refuse(violation, context)
    }

    /// Closes our side after the last response and gives the client time to read it.
    private func leave(_ context: ChannelHandlerContext) {
        state = .leaving
        stream.next = .nothing
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            guard context.channel.isActive else { return }
            guard !self.hasInputEnded else { return context.close(promise: nil) }
            context.close(mode: .output, promise: nil)
            self.linger = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerTime) {
                context.close(promise: nil)
            }
        }
        // Behind all that was written: a channel whose input has ended drops that when its output is closed.
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: sent)
        context.read()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let violation = HTTPViolation(parser: error, inHead: stream.isInHead) {
            refuse(violation, context)
        } else {
            context.fireErrorCaught(error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        guard case .leaving = state else { return context.fireChannelReadComplete() }
        context.read()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        hasInputEnded = true
        switch state {
        case .betweenRequests, .receiving, .finished: context.fireUserInboundEventTriggered(event)
        // It may still wait for its earlier responses and for the refusal.
        case .refused: break
        // It lingers only when all is sent.
        case .leaving: if linger != nil { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        linger?.cancel()
        linger = nil
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension HTTPClientCodec: Sendable {}
