/// A handler in front of ``ClientHandler`` that keeps what has come of a request until all of it is there.
protocol RequestAssembly: AnyObject {
    /// Whether a request has begun, and the client is to send the rest.
    var isRestDue: Bool { get }
    /// Sends the client away, since the rest did not come in time.
    func giveUp()
}

extension HTTPClientCodec: RequestAssembly {}
