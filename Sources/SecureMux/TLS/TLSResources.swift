import NIOCore

/// What the TLS handlers of one event loop share.
final class TLSResources {
    let scratch = TLSScratch()
    private(set) var handshakes: Handshakes?
    private let eventLoop: any EventLoop

    /// To be used on `eventLoop` alone; without a pool handshakes are done there, too.
    init(_ eventLoop: any EventLoop, _ pool: HandshakePool?) {
        self.eventLoop = eventLoop
        if let pool { use(pool) }
    }

    /// Has the steps of handshakes taken by a pool from now on.
    func use(_ pool: HandshakePool) {
        if handshakes == nil { handshakes = Handshakes(eventLoop, runner: pool) }
    }
}
