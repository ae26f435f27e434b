import NIOCore

/// What the TLS handlers of one event loop share.
final class TLSResources {
    let scratch = TLSScratch()
    let handshakes: Handshakes?

    /// To be used on `eventLoop` alone; without a pool handshakes are done there, too.
    init(_ eventLoop: any EventLoop, _ pool: HandshakePool?) {
        handshakes = pool.map { Handshakes(eventLoop, runner: $0) }
    }
}
