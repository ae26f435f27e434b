import NIOCore

/// What the TLS handlers of one event loop share.
final class TLSResources {
    let scratch = TLSScratch()
    let pace: HandshakePace

    /// To be used on `eventLoop` alone.
    init(_ eventLoop: any EventLoop) {
        pace = HandshakePace(eventLoop)
    }
}
