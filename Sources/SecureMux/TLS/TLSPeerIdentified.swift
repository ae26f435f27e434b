/// Tells the later handlers of a pipeline who the peer is; fired right before `TLSUserEvent.handshakeCompleted`.
package struct TLSPeerIdentified: Sendable, Hashable {
    /// The certificate that the peer showed and that was verified, if it showed one.
    package var certificate: PeerCertificate?
    package var version: TLSVersion
}
