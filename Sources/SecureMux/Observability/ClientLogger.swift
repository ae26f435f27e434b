import Logging
import NIOCore

/// What one client's lines of the log are written with; each says who the client is.
///
/// The name is put together when a line is written: kept in a logger, it would be a tenth of an idle client's memory.
struct ClientLogger {
    private let listener: Logger
    private let address: SocketAddress?
    private var known: Logger.Metadata = [:]

    /// For the client at `address`, of a listener that writes to `logger`.
    init(_ logger: Logger, _ address: SocketAddress?) {
        listener = logger
        self.address = address
    }

    /// The client's address as people write it.
    var name: String { address?.peerName ?? "unknown" }

    /// A logger that knows the client.
    var logger: Logger {
        var logger = listener
        logger[metadataKey: "client"] = "\(name)"
        for (key, value) in known { logger[metadataKey: key] = value }
        return logger
    }

    /// What each further line is to say of the client.
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { known[key] }
        set { known[key] = newValue }
    }

    /// Writes what is of interest if somebody asks what clients do.
    func info(_ message: @autoclosure () -> Logger.Message, metadata: @autoclosure () -> Logger.Metadata? = nil) {
        guard listener.logLevel <= .info else { return }
        logger.info(message(), metadata: metadata())
    }
}
