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
    /// All that leaves for the client.
    let output = SocketOutput()
    /// Called in a tick of its own with the bytes that came before anybody asked, and whether the client's end follows them.
    var onReadAhead: ((ByteBuffer, _ isEnd: Bool) -> Void)?

    private var context: ChannelHandlerContext?
    private var input: ReadAhead
    private var isDeliveryScheduled = false

    /// A socket that buffers up to `readAheadLimit` bytes that come before anybody asks.
    init(readAheadLimit: Int) {
        input = ReadAhead(limit: readAheadLimit)
    }

    /// The handler in front has been added.
    func attach(_ context: ChannelHandlerContext) {
        self.context = context
        output.attach(context)
    }

    /// The handler in front has been removed.
    func detach() {
        (context, onReadAhead) = (nil, nil)
        output.detach()
    }

    /// The connection stands.
    func opened(_ channel: any Channel) { output.opened(channel) }

    /// The connection is gone.
    func closed() {
        output.closed()
        input.clear()
    }

    /// How many bytes wait here for the client to take them, and a number that grows while it takes any.
    func progress() -> (unsent: Int, accepted: UInt64) {
        let unsent = output.unsent
        // `written` counts the unsent bytes too, so that it is no less.
        //
        // The system takes more from us only in large steps, many seconds apart if the client is slow. Its
        // acknowledgements say sooner that it takes something.
        guard unsent > 0, let acknowledged else { return (unsent, output.written - UInt64(unsent)) }
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

    /// Closes the connection cleanly, but at once: no later handler has a say.
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

    /// A read brought bytes.
    ///
    /// - Returns: Whether they are to be passed on now.
    func receive(_ bytes: ByteBuffer) -> Bool {
        switch input.receive(bytes) {
        case .passed: return true
        case .buffered: break
        case .refused: context?.close(promise: nil)
        }
        return false
    }

    /// A read is complete.
    ///
    /// - Returns: Whether that is to be passed on.
    func complete() -> Bool { input.complete() }

    /// The client has ended its sending.
    ///
    /// - Returns: Whether that is to be passed on now.
    func end() -> Bool { input.end() }

    /// In the next tick: whoever asks to read expects nothing before that returns.
    private func scheduleDelivery() {
        guard !isDeliveryScheduled, let context else { return }
        isDeliveryScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isDeliveryScheduled = false
            if let (bytes, isEnd) = self.input.deliver() { self.onReadAhead?(bytes, isEnd) }
        }
    }
}

@available(*, unavailable)
extension ClientSocket: Sendable {}
