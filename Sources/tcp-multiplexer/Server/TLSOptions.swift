import ArgumentParser
import SecureMux
import ServerSettings

/// How a listener speaks TLS, and where.
struct TLSOptions: ParsableArguments {
    @Option(help: .setting(.tlsListen), transform: Setting.tlsListen.checked)
    var tlsListen: String?

    @Option(help: .setting(.tlsCertificate), transform: Setting.tlsCertificate.checked)
    var tlsCertificate: String?

    @Option(help: .setting(.tlsKey), transform: Setting.tlsKey.checked)
    var tlsKey: String?

    @Option(help: .setting(.tlsKeyPassphraseFile), transform: Setting.tlsKeyPassphraseFile.checked)
    var tlsKeyPassphraseFile: String?

    @Option(help: .setting(.tlsMinVersion), transform: Setting.tlsMinVersion.checked)
    var tlsMinVersion: String?

    @Option(help: .setting(.clientCA), transform: Setting.clientCA.checked)
    var clientCa: String?

    @Option(help: .setting(.clientCertificates), transform: Setting.clientCertificates.checked)
    var clientCertificates: String?

    @Option(help: .setting(.handshakeTimeout), transform: Setting.handshakeTimeout.checked)
    var handshakeTimeout: String?

    /// Writes down what was given for the listener that speaks TLS.
    func write(toListener written: inout WrittenSettings) {
        written[.tlsListen] = tlsListen
        written[.tlsCertificate] = tlsCertificate
        written[.tlsKey] = tlsKey
        written[.tlsKeyPassphraseFile] = tlsKeyPassphraseFile
        written[.tlsMinVersion] = tlsMinVersion
        written[.clientCA] = clientCa
        written[.clientCertificates] = clientCertificates
        written[.handshakeTimeout] = handshakeTimeout
    }
}
