/// A version of the TLS protocol.
public enum TLSVersion: Sendable, Hashable, CustomStringConvertible {
    /// TLS 1.2 (RFC 5246).
    case v1_2
    /// TLS 1.3 (RFC 8446).
    case v1_3

    /// The version as people write it, such as "1.2".
    public var description: String {
        switch self {
        case .v1_2: "1.2"
        case .v1_3: "1.3"
        }
    }
}

/// Whether clients of a listener have to show a certificate.
public enum ClientCertificates: Sendable, Hashable {
    /// None is asked for.
    case off
    /// One is asked for; a client without one is served, a client with an invalid one is refused.
    case optional
    /// A client without a valid one is refused, as Modbus/TCP Security demands (R-07, R-10).
    case required
}

/// How a listener speaks TLS.
public struct TLSServerConfiguration: Hashable, Sendable {
    /// The PEM file with the server's certificate, then the certificates that lead to the root.
    public var certificateChainFile: String
    /// The PEM file with the private key of the first certificate.
    public var privateKeyFile: String
    /// The passphrase of an encrypted private key; without one an encrypted key is an error, never a prompt.
    public var privateKeyPassphrase: String?
    /// The oldest version that is accepted.
    public var minimumVersion: TLSVersion
    /// Whether clients have to show a certificate.
    public var clientCertificates: ClientCertificates
    /// The PEM file with the authorities that sign client certificates; needed unless none is asked for.
    public var clientCAFile: String?
    /// How long a client may take from the accepted connection to the end of the handshake.
    public var handshakeTimeout: Duration
    /// How long a closing connection may take to hand over its last bytes.
    public var shutdownTimeout: Duration

    /// Creates a configuration; nothing is read before a server is made from it.
    public init(
        certificateChainFile: String,
        privateKeyFile: String,
        privateKeyPassphrase: String? = nil,
        minimumVersion: TLSVersion = .v1_2,
        clientCertificates: ClientCertificates = .off,
        clientCAFile: String? = nil,
        handshakeTimeout: Duration = .seconds(10),
        shutdownTimeout: Duration = .seconds(2)
    ) {
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.privateKeyPassphrase = privateKeyPassphrase
        self.minimumVersion = minimumVersion
        self.clientCertificates = clientCertificates
        self.clientCAFile = clientCAFile
        self.handshakeTimeout = handshakeTimeout
        self.shutdownTimeout = shutdownTimeout
    }
}

extension TLSServerConfiguration {
    /// Refuses to ask for certificates that nothing verifies, and the contrary.
    func check(_ problems: inout ConfigurationProblems) {
        problems.checkLimits((.handshakeTimeout, handshakeTimeout))
        problems.check(try checkAuthorities())
    }

    private func checkAuthorities() throws(ConfigurationError) {
        guard clientCertificates == .off || clientCAFile != nil else {
            throw ConfigurationError(
                "\(.clientCertificates, "\(clientCertificates)") needs \(.clientCA) to verify them with"
            )
        }
        guard clientCertificates != .off || clientCAFile == nil else {
            throw ConfigurationError(
                "\(.clientCertificates, "off") asks for none to verify with \(.clientCA): leave one of them out"
            )
        }
    }
}

/// How a connection that we open speaks TLS.
package struct TLSClientConfiguration: Sendable {
    /// The PEM file with the authorities that may sign the server's certificate.
    package var caFile: String
    /// The host name or IP address that the server's certificate has to be for.
    package var serverName: String
    /// The PEM file with our own certificate, then the certificates that lead to the root.
    package var certificateChainFile: String?
    /// The PEM file with the private key of the first certificate.
    package var privateKeyFile: String?
    /// The passphrase of an encrypted private key; without one an encrypted key is an error, never a prompt.
    package var privateKeyPassphrase: String?
    /// The oldest version that is accepted.
    package var minimumVersion: TLSVersion
    /// How long the handshake may take, counted from the established TCP connection.
    package var handshakeTimeout: Duration
    /// How long a closing connection may take to hand over its last bytes.
    package var shutdownTimeout: Duration

    /// Creates a configuration; nothing is read before a connection is made from it.
    package init(
        caFile: String,
        serverName: String,
        certificateChainFile: String? = nil,
        privateKeyFile: String? = nil,
        privateKeyPassphrase: String? = nil,
        minimumVersion: TLSVersion = .v1_2,
        handshakeTimeout: Duration = .seconds(10),
        shutdownTimeout: Duration = .seconds(2)
    ) {
        self.caFile = caFile
        self.serverName = serverName
        self.certificateChainFile = certificateChainFile
        self.privateKeyFile = privateKeyFile
        self.privateKeyPassphrase = privateKeyPassphrase
        self.minimumVersion = minimumVersion
        self.handshakeTimeout = handshakeTimeout
        self.shutdownTimeout = shutdownTimeout
    }
}
