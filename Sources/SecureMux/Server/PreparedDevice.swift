import Logging

/// A device about to be shared: what it is told fits together, and the files of its listeners have been read.
struct PreparedDevice: Sendable {
    let configuration: DeviceConfiguration
    var listeners: [PreparedListener]

    /// Reads the listeners' TLS files, which may take a while.
    init(_ configuration: DeviceConfiguration) throws(ServerError) {
        self.configuration = configuration
        listeners = try configuration.listeners.map { listener throws(ServerError) in
            try PreparedListener(listener, for: configuration.applicationProtocol)
        }
    }
}
