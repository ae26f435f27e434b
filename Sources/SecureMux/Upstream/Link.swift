import MultiplexerCore
import NIOCore

/// One connection to the device, from the attempt to its end, whatever it runs over.
///
/// It tells its owner of its end exactly once, when nothing of it is left.
///
/// ```
///             connect                                     close
///  owner ────────────────▶                        owner ─────────────▶
///        ◀──────────────── linkConnected                ◀───────────── linkClosed
///             write
///        ────────────────▶                              linkClosed may come at any time, whoever ends it
///        ◀──────────────── received, or requestUnsent
/// ```
protocol Link: AnyObject {
    /// The number of this connection.
    var id: LinkID { get }

    /// Begins the attempt.
    func connect()
    /// Sends the frame of a request, or tells the owner that no byte of it has left.
    func write(_ frame: [UInt8], of request: RequestID)
    /// Ends the connection, or the attempt.
    func close()
}

/// The receiver of what a link tells; all on its event loop.
protocol LinkOwner: AnyObject {
    /// The loop on which the link is used and tells.
    var eventLoop: any EventLoop { get }
    /// The request that the device is to answer next, where the wire has no ids.
    var awaited: Request? { get }

    /// The connection stands.
    func linkConnected(_ link: LinkID)
    /// Nothing of the connection is left; the device may have begun a message and not ended it.
    ///
    /// There is a `reason` where it was not asked for.
    func linkClosed(_ link: LinkID, reason: (any Error)?, midResponse: Bool)
    /// No byte of a request left, since the connection has ended.
    func requestUnsent(_ request: RequestID, on link: LinkID)
    /// The device sent a message.
    func receiveResponse(_ frame: ByteBuffer, on link: LinkID)
    /// A message came that was an answer without doubt, and it is damaged.
    func receiveDamagedResponse(_ damage: ResponseDamage, on link: LinkID)
    /// Bytes came that are no message; they were dropped.
    func receiveNoise(bytes: Int, on link: LinkID)
}

/// Makes the links of one device, each with its number and its owner.
typealias LinkFactory = (LinkID, any LinkOwner) -> any Link
