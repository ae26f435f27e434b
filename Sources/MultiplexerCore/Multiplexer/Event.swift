extension Multiplexer {
    /// A fact that the core is told.
    package enum Event: Hashable, Sendable {
        /// A client may send requests from now on: its address is allowed, its handshake complete.
        ///
        /// Where it comes from is the network that counts as one address, see ``IPAddress/network``.
        case clientJoined(ClientID, from: IPAddress? = nil)
        /// A client is gone; nothing can be sent to it any more.
        case clientLeft(ClientID)
        /// A client sent a whole request.
        case requestReceived(RequestID, Request, from: ClientID)
        /// A client sent a request again, byte for byte, that was not answered: it is the same request, with a later deadline.
        case requestRepeated(RequestID)
        /// The connection asked for with ``Multiplexer/Action/connect(_:)`` stands.
        case upstreamConnected(LinkID)
        /// The connection could not be made, was lost, or is closed as asked for. Nothing of it is left.
        ///
        /// With `midResponse` the device had begun a message and not ended it.
        case upstreamClosed(LinkID, midResponse: Bool = false)
        /// No byte of a request left the machine, since the connection had ended; ``upstreamClosed(_:midResponse:)`` follows.
        case requestUnsent(RequestID, on: LinkID)
        /// The device sent a whole message.
        case responseReceived(Response, on: LinkID)
        /// A message came that was the answer to a request without doubt, and it is damaged.
        case responseDamaged(ResponseDamage, on: LinkID)
        /// The device sent bytes that are no message; they were dropped.
        case noiseReceived(bytes: Int, on: LinkID)
        /// The time of the last ``Multiplexer/Action/setDeadline(_:)`` has come.
        case deadlineReached
        /// Nobody else has a connection any more: one may be opened.
        ///
        /// With `isSameDevice` the device had the other one, which was closed now, and may still count it.
        case connectingAllowed(isSameDevice: Bool)
        /// Other times and limits hold from now on; whether the wire carries transaction ids stays as it is.
        ///
        /// Boxed, so that all other events stay small.
        indirect case configurationReplaced(Configuration)
        /// Somebody else is to have the device for this long, or until it is ``resumed``: finish what is in flight, then close the
        /// connection; requests fail as if the device could not be reached.
        case released(for: Duration?)
        /// The device is ours again.
        case resumed
        /// The program shuts down: finish what is in flight, accept nothing new.
        case drainRequested
    }
}
