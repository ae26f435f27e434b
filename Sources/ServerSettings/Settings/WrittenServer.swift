package import SecureMux

/// A whole server, as somebody wrote it.
package struct WrittenServer: Sendable {
    /// What holds for the process.
    package var process = WrittenSettings()
    package var devices: [WrittenDevice]

    /// A server of these parts.
    package init(process: WrittenSettings = WrittenSettings(), devices: [WrittenDevice]) {
        (self.process, self.devices) = (process, devices)
    }
}

extension WrittenServer {
    /// What was written, put together.
    ///
    /// - Parameter readsSecrets: Whether files with passphrases are read.
    /// - Returns: A configuration that can be served.
    /// - Throws: ``ConfigurationError`` for the first thing that cannot be.
    package func configuration(readsSecrets: Bool) throws(ConfigurationError) -> ServerConfiguration {
        try ServerConfiguration(
            devices: devices.map { device throws(ConfigurationError) in
                try device.configuration(readsSecrets: readsSecrets)
            }
        )
    }
}
