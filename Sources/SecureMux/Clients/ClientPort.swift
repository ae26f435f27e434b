import NIOCore

/// Where a client's session stands in its channel: at the socket, or after handlers that make something else of its bytes.
protocol ClientPort: AnyObject {
    /// Asks for what the client sends next.
    func read()
    /// Gives the client a frame.
    func write(_ frame: [UInt8])
}
