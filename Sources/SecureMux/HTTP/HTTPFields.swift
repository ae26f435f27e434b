import MultiplexerCore
import NIOHTTP1

/// Which header and trailer fields belong to one connection, and which to the message (RFC 9110, section 7.6.1).
struct HTTPFields {
    /// The fields that travel on, in their order and case.
    private(set) var endToEnd = HTTPHeaders()
    /// What the Connection fields say, in lower case.
    private(set) var connectionOptions: Set<String> = []

    /// Sorts a head's fields.
    init(_ headers: HTTPHeaders) throws(HTTPViolation) {
        // llhttp takes the second for the first, and both must mean the same to us.
        for value in headers["connection"] + headers["proxy-connection"] {
            for option in value.split(separator: ",", omittingEmptySubsequences: true) {
                let option = option.trimmed
                guard option.utf8.allSatisfy(\.isTokenByte) else {
                    throw HTTPViolation("a Connection field with something other than names in it")
                }
                if !option.isEmpty { connectionOptions.insert(option.lowercased()) }
            }
        }
        guard connectionOptions.isDisjoint(with: Self.neverNominated) else {
            throw HTTPViolation("a Connection field that names a field which is not the connection's")
        }
        for (name, value) in headers {
            try Self.check(name, value)
            let folded = name.lowercased()
            guard !Self.lookalikes.contains(folded) else {
                throw HTTPViolation("a field that a device could take for another one: \(name)")
            }
            guard !Self.ofConnection.contains(folded), !connectionOptions.contains(folded) else { continue }
            endToEnd.add(name: name, value: value)
        }
    }

    /// Refuses trailer fields that would change how the message is read, had they stood in its head.
    static func check(trailers: HTTPHeaders) throws(HTTPViolation) {
        for (name, value) in trailers {
            try check(name, value)
            let folded = name.lowercased()
            guard !ofConnection.contains(folded), !neverTrailers.contains(folded) else {
                throw HTTPViolation("a trailer field that must stand in the head: \(name)")
            }
        }
    }

    private static func check(_ name: String, _ value: String) throws(HTTPViolation) {
        guard !name.isEmpty, name.utf8.allSatisfy(\.isTokenByte) else {
            throw HTTPViolation("a field whose name has a byte that names cannot have")
        }
        guard value.utf8.allSatisfy({ $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }) else {
            throw HTTPViolation("a field with a control character in its value")
        }
    }

    /// Fields that say something to the next hop alone, and those that we set ourselves.
    private static let ofConnection: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]
    /// Naming one of these would take from the message what the device needs to read it as the client meant it.
    private static let neverNominated: Set<String> = [
        "authorization", "content-encoding", "content-length", "content-type", "cookie", "host", "transfer-encoding",
    ]
    /// Many servers turn minus and underscore into the same letter before they look a field up.
    private static let lookalikes: Set<String> = ["content_length", "transfer_encoding"]
    private static let neverTrailers: Set<String> = [
        "authorization", "content-encoding", "content-range", "content-type", "cookie", "expect", "host",
        "set-cookie",
    ]
}

extension StringProtocol {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        String(drop { $0.isBlank }.reversed().drop { $0.isBlank }.reversed())
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}

extension HTTPHeaders {
    /// The same fields without white space around their values; llhttp leaves the space after them.
    var trimmed: HTTPHeaders { HTTPHeaders(map { ($0.name, $0.value.trimmed) }) }

    /// Whether a value was not UTF-8: llhttp's caller puts this in place of what it cannot read, and so changes it.
    var hasReplacedBytes: Bool { contains { $0.value.unicodeScalars.contains("\u{FFFD}") } }
}
