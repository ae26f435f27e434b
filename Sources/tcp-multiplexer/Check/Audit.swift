import MultiplexerCore
import SecureMux
import ServerSettings

/// Looks at a configuration that can be served for what may not be meant.
struct Audit {
    private(set) var findings: [CheckFinding] = []

    private let loaded: ConfigurationSource.Loaded
    private let names: SettingNames

    /// What an expiring certificate gives people to renew it.
    private static let daysToRenew = 30

    /// An audit of a configuration that was read, whose user knows settings by `names`.
    init(_ loaded: ConfigurationSource.Loaded, _ names: SettingNames) {
        (self.loaded, self.names) = (loaded, names)
    }

    /// Looks at everything that needs no network.
    mutating func run() {
        for (number, device) in loaded.configuration.devices.enumerated() {
            look(at: device, written: loaded.written.devices[number], number)
            for (index, listener) in device.listeners.enumerated() {
                look(at: listener, of: device, number, index)
                if let tls = listener.rules.tls { look(at: tls, number, index) }
            }
        }
    }

    /// Adds what was found of a device, or of one of its listeners.
    mutating func add(_ severity: CheckFinding.Severity, _ sentence: Sentence, _ device: Int, _ listener: Int? = nil) {
        let place = loaded.file?.place(of: ConfigurationError(sentence), device: device, listener: listener)
        let finding = CheckFinding(severity: severity, place: place, sentence: sentence, names: names)
        // Several listeners may have the same files.
        if !findings.contains(finding) { findings.append(finding) }
    }
}

// MARK: - What each part may not mean

extension Audit {
    private mutating func look(at device: DeviceConfiguration, written: WrittenDevice, _ number: Int) {
        if written.settings.has(.broadcastDelay), !device.applicationProtocol.broadcastsUnit0 {
            add(
                .warning,
                "\(.broadcastDelay) makes no difference: nothing is a broadcast without \(.broadcast, true)",
                number
            )
        }
        if let profile = device.profile, DeviceProfile.named(profile.name)?.settings.isEmpty == true {
            add(
                .note,
                "\(.deviceProfile, profile.name) sets no times: no source has any other than the defaults",
                number
            )
        }
    }

    private mutating func look(
        at listener: ListenerConfiguration,
        of device: DeviceConfiguration,
        _ number: Int,
        _ index: Int
    ) {
        if listener.isOpenToAnyone {
            add(
                .warning,
                """
                anyone who reaches \(listener.address) (\(.listen)) can read and write the device: limit it with \(.allow), ask \
                for client certificates with \(.clientCA), or listen on 127.0.0.1
                """,
                number,
                index
            )
        } else if !listener.rules.allowList.blocks.isEmpty, listener.rules.allowList.allowsEveryone {
            add(.warning, "\(.allow) has a whole family of addresses, and so limits nobody", number, index)
        }
        if listener.rules.tls?.clientCertificates == .optional {
            add(
                .warning,
                "\(.clientCertificates, "optional") protects nothing by itself: who shows none is served too",
                number,
                index
            )
        }
        for unit in UInt8.min ... .max {
            let clientUnits = listener.unitMap.clientUnits(leadingTo: unit)
            guard clientUnits.count > 1 else { continue }
            let units = clientUnits.map { "\($0)" }.joined(separator: " and ")
            add(.warning, "\(.unitMap): the clients' units \(units) are one for the device, \(unit)", number, index)
        }
    }

    private mutating func look(at tls: TLSServerConfiguration, _ number: Int, _ index: Int) {
        do {
            for warning in try TLSContext(server: tls).warnings { add(.warning, warning, number, index) }
            let chain = try CertificateSummary.all(in: tls.certificateChainFile, for: .tlsCertificate)
            look(at: chain, number, index)
            if let authorities = tls.clientCAFile {
                for authority in try CertificateSummary.all(in: authorities, for: .clientCA) {
                    look(at: authority, of: .clientCA, number, index)
                }
            }
        } catch {
            add(.error, error.sentence, number, index)
        }
    }

    private mutating func look(at chain: [CertificateSummary], _ number: Int, _ index: Int) {
        for (certificate, next) in zip(chain, chain.dropFirst()) where certificate.issuer != next.subject {
            add(
                .warning,
                """
                \(.tlsCertificate): after \(certificate.subject), signed by \(certificate.issuer), comes \(next.subject): clients \
                find no way to the root; put each certificate before the one that signed it
                """,
                number,
                index
            )
        }
        for certificate in chain { look(at: certificate, of: .tlsCertificate, number, index) }
        if let last = chain.last, !last.isSelfIssued {
            add(
                .note,
                """
                \(.tlsCertificate) ends with \(last.subject), and not with the root that signed it (\(last.issuer)): clients \
                need to have that one, and Modbus/TCP Security wants it in the file
                """,
                number,
                index
            )
        }
    }

    private mutating func look(at certificate: CertificateSummary, of setting: Setting, _ number: Int, _ index: Int) {
        // What has expired is said by those who would use it.
        guard let days = certificate.daysLeft, days >= 0 else { return }
        let sentence: Sentence = "\(setting): \(certificate.subject) is valid for \(days) more days"
        add(
            days < Self.daysToRenew ? .warning : .note,
            days < Self.daysToRenew ? "\(sentence): renew it" : sentence,
            number,
            index
        )
    }
}
