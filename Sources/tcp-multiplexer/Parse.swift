import MultiplexerCore
import SecureMux

/// Option values that are names: the description of the thrown error is what the user sees.
///
/// Used as `@Option(transform: Parse.tlsVersion)`; `ExpressibleByArgument` could only say that the value is invalid.
enum Parse {
    static func applicationProtocol(_ text: String) throws -> ApplicationProtocol {
        guard let known = ApplicationProtocol.named(text) else {
            let names = ApplicationProtocol.all.map(\.name).joined(separator: ", ")
            throw ConfigurationError("'\(text)' is not a protocol that this program speaks: \(names)")
        }
        return known
    }

    /// An even number of hexadecimal digits.
    static func delimiter(_ text: String) throws -> [UInt8] {
        let digits = text.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
        guard !digits.isEmpty, digits.count == text.count, digits.count % 2 == 0 else {
            throw ConfigurationError(
                "'\(text)' is not a delimiter: write its bytes in hexadecimal, two digits each, such as 0d0a for CR LF"
            )
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    static func lengthBytes(_ text: String) throws -> Int {
        guard let count = Int(text), LengthPrefix.lengthByteCounts.contains(count) else {
            throw ConfigurationError("'\(text)' is not a number of bytes that a length may take: 1, 2 or 4")
        }
        return count
    }

    static func headerBytes(_ text: String) throws -> Int {
        guard let count = Int(text), LengthPrefix.headerByteCounts.contains(count) else {
            throw ConfigurationError(
                "'\(text)' is not a number of bytes that may stand before the length: 0 to \(LengthPrefix.headerByteCounts.upperBound)"
            )
        }
        return count
    }

    static func lengthAdds(_ text: String) throws -> Int {
        guard let count = Int(text), LengthPrefix.uncountedByteCounts.contains(count) else {
            throw ConfigurationError(
                "'\(text)' is not a number of bytes that a length may leave out: 0 to \(LengthPrefix.uncountedByteCounts.upperBound)"
            )
        }
        return count
    }

    static func lengthFormat(_ text: String) throws -> LengthPrefix.Format {
        switch text {
        case "binary": .binary
        case "ascii": .ascii
        case "bcd": .bcd
        default: throw ConfigurationError("'\(text)' is not a format that a length may have: binary, ascii or bcd")
        }
    }

    static func lengthOrder(_ text: String) throws -> LengthPrefix.Order {
        switch text {
        case "big": .big
        case "little": .little
        default: throw ConfigurationError("'\(text)' is not an order of bytes: big or little")
        }
    }

    static func tlsVersion(_ text: String) throws -> TLSVersion {
        switch text {
        case "1.2": .v1_2
        case "1.3": .v1_3
        default: throw ConfigurationError("'\(text)' is not a TLS version that may be used: 1.2 or 1.3")
        }
    }

    static func clientCertificates(_ text: String) throws -> ClientCertificates {
        switch text {
        case "off": .off
        case "optional": .optional
        case "required": .required
        default:
            throw ConfigurationError("'\(text)' is not a policy for client certificates: off, optional or required")
        }
    }
}
