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
