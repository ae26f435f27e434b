import COpenSSL

/// What a person wants to know of a certificate in a file.
package struct CertificateSummary: Hashable, Sendable {
    /// Whom it is for, as in RFC 2253.
    package let subject: String
    /// Who signed it.
    package let issuer: String
    /// How many days it is valid from now on; negative once it has expired, nil where its date cannot be read.
    package let daysLeft: Int?
    /// Whether it names itself as who signed it, as a root does.
    package let isSelfIssued: Bool

    /// Those of a file in PEM, in their order.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - setting: The setting that names it, for the error.
    /// - Returns: At least one.
    /// - Throws: ``TLSConfigurationError`` where there is none that can be read.
    package static func all(in path: String, for setting: Setting) throws(TLSConfigurationError) -> [CertificateSummary]
    {
        try PEMFile(path: path, setting: setting).certificates().map(CertificateSummary.init)
    }

    private init(_ certificate: Certificate) {
        subject = certificate.subject
        issuer = certificate.issuer
        isSelfIssued = certificate.isSelfIssued
        var (days, seconds): (Int32, Int32) = (0, 0)
        let isReadable = ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate.pointer)) == 1
        daysLeft = isReadable ? Int(seconds < 0 ? days - 1 : days) : nil
    }
}
