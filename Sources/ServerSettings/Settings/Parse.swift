package import Logging
package import MultiplexerCore
package import SecureMux

/// Reads what users write; the thrown error says what they could write instead.
package enum Parse {
    package static func count(_ text: String) throws(ConfigurationError) -> Int {
        guard let count = Int(text), !text.hasPrefix("+") else {
            throw ConfigurationError("'\(text)' is not a whole number")
        }
        return count
    }

    package static func truth(_ text: String) throws(ConfigurationError) -> Bool {
        switch text {
        case "true", "True", "TRUE", "yes", "on": true
        case "false", "False", "FALSE", "no", "off": false
        default: throw ConfigurationError("'\(text)' is neither true nor false")
        }
    }

    /// Whether what a response repeats of its request is not looked at.
    package static func isIgnored(_ text: String) throws(ConfigurationError) -> Bool {
        switch text {
        case "checked": false
        case "ignored": true
        default: throw ConfigurationError("'\(text)' is neither checked nor ignored")
        }
    }

    package static func logLevel(_ text: String) throws(ConfigurationError) -> Logger.Level {
        guard let level = Logger.Level(rawValue: text), ![.trace, .critical].contains(level) else {
            throw ConfigurationError("'\(text)' is not a level of the log: error, warning, notice, info or debug")
        }
        return level
    }

    package static func deviceProfile(_ text: String) throws(ConfigurationError) -> DeviceProfile {
        guard let profile = DeviceProfile.named(text) else {
            let names = DeviceProfile.all.map(\.name).joined(separator: ", ")
            throw ConfigurationError("'\(text)' is not a device profile: \(names)")
        }
        return profile
    }

    package static func applicationProtocol(_ text: String) throws(ConfigurationError) -> ApplicationProtocol {
        guard let known = ApplicationProtocol.named(text) else {
            let names = ApplicationProtocol.all.map(\.name).joined(separator: ", ")
            throw ConfigurationError("'\(text)' is not a protocol that this program speaks: \(names)")
        }
        return known
    }

    /// An even number of hexadecimal digits.
    package static func delimiter(_ text: String) throws(ConfigurationError) -> [UInt8] {
        let digits = text.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
        guard !digits.isEmpty, digits.count == text.count, digits.count % 2 == 0 else {
            throw ConfigurationError(
                "'\(text)' is not a delimiter: write its bytes in hexadecimal, two digits each, such as 0d0a for CR LF"
            )
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    package static func lengthBytes(_ text: String) throws(ConfigurationError) -> Int {
        guard let count = Int(text), LengthPrefix.lengthByteCounts.contains(count) else {
            throw ConfigurationError("'\(text)' is not a number of bytes that a length may take: 1, 2 or 4")
        }
        return count
    }

    package static func headerBytes(_ text: String) throws(ConfigurationError) -> Int {
        guard let count = Int(text), LengthPrefix.headerByteCounts.contains(count) else {
            throw ConfigurationError(
                "'\(text)' is not a number of bytes that may stand before the length: 0 to \(LengthPrefix.headerByteCounts.upperBound)"
            )
        }
        return count
    }

    package static func lengthAdds(_ text: String) throws(ConfigurationError) -> Int {
        guard let count = Int(text), LengthPrefix.uncountedByteCounts.contains(count) else {
            throw ConfigurationError(
                "'\(text)' is not a number of bytes that a length may leave out: 0 to \(LengthPrefix.uncountedByteCounts.upperBound)"
            )
        }
        return count
    }

    package static func lengthFormat(_ text: String) throws(ConfigurationError) -> LengthPrefix.Format {
        switch text {
        case "binary": .binary
        case "ascii": .ascii
        case "bcd": .bcd
        default: throw ConfigurationError("'\(text)' is not a format that a length may have: binary, ascii or bcd")
        }
    }

    package static func lengthOrder(_ text: String) throws(ConfigurationError) -> LengthPrefix.Order {
        switch text {
        case "big": .big
        case "little": .little
        default: throw ConfigurationError("'\(text)' is not an order of bytes: big or little")
        }
    }

    package static func tlsVersion(_ text: String) throws(ConfigurationError) -> TLSVersion {
        switch text {
        case "1.2": .v1_2
        case "1.3": .v1_3
        default: throw ConfigurationError("'\(text)' is not a TLS version that may be used: 1.2 or 1.3")
        }
    }

    package static func clientCertificates(_ text: String) throws(ConfigurationError) -> ClientCertificates {
        switch text {
        case "off": .off
        case "optional": .optional
        case "required": .required
        default:
            throw ConfigurationError("'\(text)' is not a policy for client certificates: off, optional or required")
        }
    }
}
