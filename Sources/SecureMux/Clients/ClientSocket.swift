import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A client's socket as all else sees it: what it brings, how much the client takes, and how it is cut off.
///
/// For whatever handler stands first in the client's pipeline.
final class ClientSocket {
    /// Called when the client does not take at once what is written.
    var onUntaken: (() -> Void)?
    /// Called in a turn of its own with what came before anybody asked, and whether the client's end stands behind it.
    var onDelivery: ((ByteBuffer, _ isEnd: Bool) -> Void)?
    /// Whether the client takes what is written, but for a little.
    private(set) var isWritable = true

    private var context: ChannelHandlerContext?
    private var input: UnaskedInput
    private var isDeliveryScheduled = false

    private var direct: DirectSocket?
    /// Written and not yet flushed: one buffer may go to the socket directly.
    private var unflushed: ByteBuffer?
    /// The channel has been given something that is not yet flushed.
    private var hasQueued = false

    private var written: UInt64 = 0

    /// A socket of which so many bytes are kept that come unasked.
    init(unaskedLimit: Int) {
        input = UnaskedInput(limit: unaskedLimit)
    }

    /// The handler in front has been added.
    func attach(_ context: ChannelHandlerContext) { self.context = context }

    /// The handler in front has been removed.
    func detach() { (context, onUntaken, onDelivery) = (nil, nil, nil) }

    /// The connection stands.
    func opened(_ channel: any Channel) { direct = DirectSocket(channel) }

    /// The connection is gone.
    func closed() {
        direct = nil
        input.clear()
    }

    /// How many bytes wait here for the client to take them.
    var unsent: Int {
        direct?.unsent ?? 0
    }

    /// How many bytes wait here for the client to take them, and a number that grows while it takes any.
    func progress() -> (unsent: Int, taken: UInt64) {
        let unsent = unsent
        // The system takes more from us only in large steps, many seconds apart if the client is slow. Its
        // acknowledgements say sooner that it takes something.
        guard unsent > 0, let acknowledged else { return (unsent, written - UInt64(unsent)) }
        return (unsent, acknowledged)
    }

    #if os(Linux)
        /// How many bytes the client's system has acknowledged: `tcpi_bytes_acked` of Linux's `struct tcp_info`, at byte 120.
        private var acknowledged: UInt64? {
            typealias Words = InlineArray<16, UInt64>
            var words: Words?
            (context?.channel as? any SocketOptionProvider)?
                .unsafeGetSocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: TCP_INFO))
                // Done at once, since this is the channel's loop.
                .assumeIsolated().whenSuccess { (read: Words) in words = read }
            // Kernels before 4.2 leave it 0.
            return words.flatMap { $0[15] == 0 ? nil : $0[15] }
        }
    #else
        private var acknowledged: UInt64? { nil }
    #endif

    /// Acknowledges what has come now: a client with Nagle's algorithm sends nothing small before.
    func acknowledge() { context?.channel.acknowledgeNow() }

    /// Closes the connection in peace, but at once: no later handler has a say.
    func cutOff() {
        context?.close(promise: nil)
    }

    /// Closes the connection with a reset, so that the system keeps nothing for a client that does not take it.
    func reset() {
        // Done at once, since this is the channel's loop.
        (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            .assumeIsolated().whenComplete { _ in }
        context?.close(promise: nil)
    }
}

// MARK: - What the client sends

extension ClientSocket {
    /// Asks for what the client sends next.
    func read() {
        if input.asks() { context?.read() } else { scheduleDelivery() }
    }

    /// Takes what a read brought; says whether it is to be passed on now.
    func take(_ bytes: ByteBuffer) -> Bool {
        switch input.take(bytes) {
        case .passed: return true
        case .kept: break
        case .refused: context?.close(promise: nil)
        }
        return false
    }

    /// All that there was has been read; says whether that is to be passed on.
    func complete() -> Bool { input.complete() }

    /// The client has ended its sending; says whether that is to be passed on now.
    func end() -> Bool { input.end() }

    /// In the next turn: whoever asks to read expects nothing before that returns.
    private func scheduleDelivery() {
        guard !isDeliveryScheduled, let context else { return }
        isDeliveryScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isDeliveryScheduled = false
            if let (bytes, isEnd) = self.input.deliver() { self.onDelivery?(bytes, isEnd) }
        }
    }
}

// MARK: - What the client gets

extension ClientSocket {
    /// Writes to the client.
    func send(_ bytes: [UInt8]) {
        written += UInt64(bytes.count)
        let sent = bytes.withUnsafeBytes { direct?.send($0) } ?? 0
        if sent < bytes.count { queueRest(ByteBuffer(bytes: bytes[sent...])) }
    }

    /// Writes to the client at the next flush.
    func write(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        written += UInt64(bytes.readableBytes)
        if promise == nil, unflushed == nil, !hasQueued, unsent == 0 {
            unflushed = bytes
        } else {
            queueUnflushed()
            queue(bytes, promise)
        }
    }

    /// Has what was written leave.
    func flush() {
        guard let bytes = unflushed else {
            context?.flush()
            hasQueued = false
            if unsent > 0 { onUntaken?() }
            return
        }
        unflushed = nil
        let sent = bytes.withUnsafeReadableBytes { direct?.send($0) } ?? 0
        if sent < bytes.readableBytes { queueRest(bytes.dropping(sent)) }
    }

    /// The channel's queue has become long, or short again.
    func writabilityChanged() { isWritable = context?.channel.isWritable ?? true }

    /// What was written is for the channel now, which is about to be closed.
    func queueUnflushed() {
        guard let bytes = unflushed else { return }
        unflushed = nil
        queue(bytes, nil)
    }

    private func queueRest(_ rest: ByteBuffer) {
        context?.writeAndFlush(NIOAny(rest), promise: nil)
        onUntaken?()
    }

    private func queue(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        hasQueued = true
        direct?.willQueue()
        context?.write(NIOAny(bytes), promise: promise)
    }
}

extension ByteBuffer {
    /// What stands behind so many bytes.
    fileprivate func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}

@available(*, unavailable)
extension ClientSocket: Sendable {}
