import MultiplexerCore
import NIOHTTP1

/// Where a message's body ends, told from its head (RFC 9112, section 6.3).
enum HTTPBodyFraming: Hashable {
    /// There is no body.
    case none
    /// After this many bytes.
    case length(Int)
    /// With the last chunk.
    case chunked
    /// With the connection; responses only.
    case untilEnd

    /// What the two framing fields say together, or nil when neither is there.
    ///
    /// Anything that two parsers could read in two ways is refused: who disagrees about the end of a message gives one
    /// client's response to another.
    init?(_ headers: HTTPHeaders, version: HTTPVersion) throws(HTTPViolation) {
        let lengths = headers["content-length"]
        let codings = headers["transfer-encoding"]
        guard lengths.isEmpty || codings.isEmpty else {
            throw HTTPViolation("both Content-Length and Transfer-Encoding")
        }
        if !codings.isEmpty {
            // Names only: Unicode has more than one letter whose small form is k.
            guard codings.count == 1, codings[0].utf8.allSatisfy(\.isTokenByte), codings[0].lowercased() == "chunked"
            else {
                throw HTTPViolation("a Transfer-Encoding other than chunked")
            }
            guard version == .http1_1 else { throw HTTPViolation("Transfer-Encoding in HTTP/1.0") }
            self = .chunked
        } else if !lengths.isEmpty {
            guard lengths.count == 1 else { throw HTTPViolation("more than one Content-Length") }
            self = .length(try Self.length(lengths[0]))
        } else {
            return nil
        }
    }

    private static func length(_ text: String) throws(HTTPViolation) -> Int {
        // 18 digits always fit; nothing that long is a body.
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.utf8.count <= 18,
            let length = Int(text)
        else { throw HTTPViolation("a Content-Length that is not a number of bytes") }
        return length
    }
}
