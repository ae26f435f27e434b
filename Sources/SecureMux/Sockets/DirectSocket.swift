import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Sends on a channel's socket without the channel's queue of writes, which costs more than the rest of a request's path.
///
/// Only while that queue is empty, or bytes would overtake others. The channel takes over what the socket does not: it waits
/// until there is room, and finds any error again.
///
/// What one send takes shares no segment with another: there are peers that look at the first message of each segment alone.
struct DirectSocket {
    private let channel: any Channel
    /// Nil where the channel has none, or the system no such call.
    ///
    /// NIO lends it for the time of a closure only. It may be kept since it is used on the channel's loop alone, and only
    /// while the channel is active: NIO closes the socket and makes the channel inactive in one tick.
    private let descriptor: CInt?
    /// The channel's queue may have something that the socket has not taken.
    private var mayHaveQueued = false

    /// The socket of an open channel.
    init(_ channel: any Channel) {
        self.channel = channel
        #if os(Linux)
            descriptor = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { (handle: CInt) in handle
            }
        #else
            descriptor = nil
        #endif
    }

    /// How many bytes are in the channel's queue.
    var unsent: Int {
        mutating get {
            guard mayHaveQueued else { return 0 }
            let unsent = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
            mayHaveQueued = unsent > 0
            return unsent
        }
    }

    /// Sends what the socket takes at once, and returns how many bytes that was; the rest is for the channel to write.
    ///
    /// Nil when it takes nothing any more: then the channel must be told to write, and finds out why.
    mutating func send(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let sent = unsent == 0 ? sendNow(bytes) : 0
        if sent != bytes.count { willQueue() }
        return sent
    }

    /// Something is written to the channel.
    mutating func willQueue() { mayHaveQueued = true }

    private func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int? {
        #if os(Linux)
            // A channel that was closed has no socket any more: another connection may have its number by now.
            guard let descriptor, channel.isActive else { return 0 }
            // The end of a record, to which Linux appends nothing while it waits to be sent.
            let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_EOR)
            let sent = sendto(descriptor, bytes.baseAddress, bytes.count, flags, nil, 0)
            if sent < 0 { return [EAGAIN, EWOULDBLOCK, EINTR, ENOBUFS, ENOMEM].contains(errno) ? 0 : nil }
            return sent
        #else
            return 0
        #endif
    }
}
