import MultiplexerCore
import NIOHTTP1

/// A request's target: a path, an absolute URL or the asterisk of OPTIONS (RFC 9112, section 3.2).
struct HTTPTarget {
    /// What the device is asked for: path and query, or the asterisk.
    let path: String
    /// The host in the target, if it has one.
    let authority: String?

    /// Reads a target of a request with this method.
    init(_ text: String, method: HTTPMethod) throws(HTTPViolation) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x23 }) else {
            throw HTTPViolation("a target with a byte that must be percent-encoded")
        }
        if text.hasPrefix("/") || text == "*" && method == .OPTIONS {
            path = text
            authority = nil
            return
        }
        let scheme = "http://"
        guard text.prefix(scheme.count).lowercased() == scheme else {
            throw HTTPViolation("a target that is neither a path nor an http URL")
        }
        let rest = text.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        guard Self.isAuthority(host) else { throw HTTPViolation("a target without a host, or with a user in it") }
        let remainder = rest.dropFirst(host.count)
        authority = String(host)
        path =
            remainder.hasPrefix("/")
            ? String(remainder) : method == .OPTIONS && remainder.isEmpty ? "*" : "/\(remainder)"
    }

    /// Whether this may be a host with or without a port.
    static func isAuthority(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                // Unreserved and sub-delims, percent-encoding, brackets and colon (RFC 3986, section 3.2.2).
                case _ where "-._~!$&'()*+;=%[]:".utf8.contains(byte): true
                default: false
                }
            }
    }
}
