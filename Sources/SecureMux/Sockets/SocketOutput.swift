import NIOCore

/// The one way in which bytes leave a socket, ours towards clients and towards the device.
///
/// ```
///  send ──────────┬─ nothing is queued ─▶ the socket takes them at once: most of the time, and all of them
///  write, flush ──┘
///                 └─ else, and what it does not take ─▶ the channel's queue, in their order
/// ```
///
/// For the handler that stands first in the channel's pipeline.
final class SocketOutput {
    /// Called when the peer does not take at once what is written.
    var onBackpressure: (() -> Void)?
    /// Whether the peer takes what is written, but for a little.
    private(set) var isWritable = true
    /// How many bytes were to leave so far.
    private(set) var written: UInt64 = 0

    private var context: ChannelHandlerContext?
    private var direct: DirectSocket?
    /// Written and not yet flushed: one buffer may go to the socket directly.
    private var unflushed: ByteBuffer?
    /// The channel has been given something that is not yet flushed.
    private var hasQueued = false

    /// What became of bytes that were to leave at once.
    struct Remainder: Equatable {
        /// How many the socket did not take, and the channel's queue has now.
        var bytes: Int
        /// The socket takes nothing any more.
        var isDead: Bool
    }

    /// The handler in front has been added.
    func attach(_ context: ChannelHandlerContext) { self.context = context }

    /// The handler in front has been removed.
    func detach() { (context, onBackpressure) = (nil, nil) }

    /// The connection stands.
    func opened(_ channel: any Channel) { direct = DirectSocket(channel) }

    /// The connection is gone.
    func closed() { direct = nil }

    /// How many bytes wait in the channel's queue.
    var unsent: Int { direct?.unsent ?? 0 }

    /// Has bytes leave, in a segment that they share with no others.
    ///
    /// - Returns: Nil if the socket took all of them.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Remainder? {
        written += UInt64(bytes.count)
        let sent = direct == nil ? 0 : bytes.withUnsafeBytes { direct?.send($0) }
        guard sent != bytes.count else { return nil }
        queueRest(ByteBuffer(bytes: bytes[(sent ?? 0)...]))
        return Remainder(bytes: bytes.count - (sent ?? 0), isDead: sent == nil)
    }

    /// Has bytes leave at the next flush.
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
            if unsent > 0 { onBackpressure?() }
            return
        }
        unflushed = nil
        let sent = bytes.withUnsafeReadableBytes { direct?.send($0) } ?? 0
        if sent < bytes.readableBytes { queueRest(bytes.dropping(sent)) }
    }

    /// The channel's queue has become long, or short again.
    func writabilityChanged() { isWritable = context?.channel.isWritable ?? true }

    /// Leaves the bytes that were written to the channel, which is about to be closed.
    func queueUnflushed() {
        guard let bytes = unflushed else { return }
        unflushed = nil
        queue(bytes, nil)
    }

    private func queueRest(_ rest: ByteBuffer) {
        context?.writeAndFlush(NIOAny(rest), promise: nil)
        onBackpressure?()
    }

    private func queue(_ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        hasQueued = true
        direct?.willQueue()
        context?.write(NIOAny(bytes), promise: promise)
    }
}

extension ByteBuffer {
    /// The bytes after this many.
    fileprivate func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}

@available(*, unavailable)
extension SocketOutput: Sendable {}
