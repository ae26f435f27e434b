import Testing

/// A request that must never reach the device, and what its sender gets instead.
struct RefusedRequest: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let bytes: String
    let status: Int

    init(_ description: String, _ bytes: String, _ status: Int = 400) {
        testDescription = description
        self.bytes = bytes
        self.status = status
    }

    /// A GET with this header line.
    static func get(_ line: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n" }
    /// A POST with these header lines and this body.
    static func post(_ lines: String, _ body: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n\(body)"
    }
    /// A POST with these chunks.
    static func chunks(_ chunks: String) -> String { post("Transfer-Encoding: chunked", chunks) }

    static let all: [RefusedRequest] =
        lengths + codings + lines + startLines + targets + hosts + chunkings + trailers + asking + tooLarge

    static let lengths = [
        RefusedRequest("two lengths of the same", post("Content-Length: 5\r\nContent-Length: 5", "hello")),
        RefusedRequest("two different lengths", post("Content-Length: 5\r\nContent-Length: 6", "hello!")),
        RefusedRequest("a list of lengths", post("Content-Length: 5, 5", "hello")),
        RefusedRequest("a length with a plus", post("Content-Length: +5", "hello")),
        // Trap T5: this crashed the original.
        RefusedRequest("a negative length", post("Content-Length: -1")),
        RefusedRequest("a negative length with zeros", post("Content-Length: -001")),
        RefusedRequest("a length with a parameter", post("Content-Length: 5;5", "hello")),
        RefusedRequest("a hexadecimal length", post("Content-Length: 0x5", "hello")),
        RefusedRequest("a length with a space within", post("Content-Length: 5 5", "hello")),
        RefusedRequest("a length with a fraction", post("Content-Length: 5.0", "hello")),
        RefusedRequest("a length in other digits", post("Content-Length: ٥", "hello")),
        RefusedRequest("an empty length", post("Content-Length:")),
        RefusedRequest("a length beyond 64 bits", post("Content-Length: 18446744073709551621", "hello")),
        RefusedRequest("a length with an underscore", post("Content-Length: 5_0", "hello")),
    ]

    static let codings = [
        RefusedRequest(
            "length, then chunks",
            post("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG")
        ),
        RefusedRequest(
            "chunks, then length",
            post("Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n")
        ),
        RefusedRequest("chunked twice in a list", post("Transfer-Encoding: chunked, chunked", "0\r\n\r\n")),
        RefusedRequest(
            "chunked twice in two fields",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n")
        ),
        RefusedRequest(
            "chunked and identity",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n")
        ),
        RefusedRequest("identity", post("Transfer-Encoding: identity", "hello")),
        RefusedRequest("a coding that ends with chunked", post("Transfer-Encoding: xchunked", "0\r\n\r\n")),
        RefusedRequest("chunked with the sign for Kelvin", post("Transfer-Encoding: chun\u{212A}ed", "0\r\n\r\n")),
        RefusedRequest("chunked in quotes", post("Transfer-Encoding: \"chunked\"", "0\r\n\r\n")),
        RefusedRequest("chunked behind a vertical tab", post("Transfer-Encoding: \u{0B}chunked", "0\r\n\r\n")),
        RefusedRequest("chunked before gzip", post("Transfer-Encoding: chunked, gzip", "0\r\n\r\n")),
        RefusedRequest("gzip before chunked", post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n")),
        RefusedRequest("an empty coding", post("Transfer-Encoding:", "0\r\n\r\n")),
        RefusedRequest("an empty coding and a length", post("Transfer-Encoding:\r\nContent-Length: 5", "hello")),
        RefusedRequest(
            "chunks in HTTP/1.0",
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        RefusedRequest(
            "a coding on a folded line",
            post("Transfer-Encoding:\r\n chunked\r\nContent-Length: 4", "0\r\n\r\n")
        ),
        RefusedRequest("a coding with a space before its colon", post("Transfer-Encoding : chunked", "0\r\n\r\n")),
    ]

    static let lines = [
        RefusedRequest("a folded line", get("X: a\r\n b")),
        RefusedRequest("a line folded with a tab", get("X: a\r\n\tb")),
        RefusedRequest("a line feed alone", get("X: a\nY: b")),
        RefusedRequest("line feeds throughout", "GET / HTTP/1.1\nHost: a\n\n"),
        RefusedRequest("a line feed alone at the head's end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        RefusedRequest("a carriage return within a value", get("X: a\rContent-Length: 5")),
        RefusedRequest("a carriage return within a name", get("X\r: a")),
        RefusedRequest("a carriage return behind the last line", "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n"),
        RefusedRequest("a space before the colon", get("X : a")),
        RefusedRequest("a tab before the colon", get("Content-Length\t: 5")),
        RefusedRequest("a name with a space", get("X Y: a")),
        RefusedRequest("no name", get(": a")),
        RefusedRequest("no colon", get("Content-Length")),
        RefusedRequest("white space before the first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        RefusedRequest("NUL in a value", get("X: a\0b")),
        RefusedRequest("NUL in a name", get("X\0: a")),
        RefusedRequest("a control character in a value", get("X: a\u{08}b")),
        RefusedRequest("DEL in a value", get("X: a\u{7F}b")),
        RefusedRequest("a control character in a name", get("X\u{01}: a")),
        RefusedRequest("a name beyond ASCII", get("Größe: a")),
        RefusedRequest("a name in parentheses", get("(X): a")),
    ]

    static let startLines = [
        RefusedRequest("HTTP/0.9 without a version", "GET /\r\n\r\n"),
        RefusedRequest("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        RefusedRequest("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        RefusedRequest("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        RefusedRequest("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        RefusedRequest("something behind the version", "GET / HTTP/1.1garbage\r\nHost: a\r\n\r\n"),
        RefusedRequest("a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        RefusedRequest("a version of two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        RefusedRequest("a version without a point", "GET / HTTP/11\r\nHost: a\r\n\r\n"),
        RefusedRequest("a version in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("RTSP", "GET / RTSP/1.0\r\nHost: a\r\n\r\n"),
        RefusedRequest("two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a tab instead of a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a line feed first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a method that nobody knows", "SMUGGLE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        RefusedRequest("a method in small letters", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        RefusedRequest("a method that would lose its hyphen", "M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        RefusedRequest(
            "a length with an underscore",
            "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 3\r\nContent-Length: 0\r\n\r\n"
        ),
        RefusedRequest(
            "an upgrade by Proxy-Connection",
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nProxy-Connection: upgrade\r\n\r\n",
            501
        ),
        RefusedRequest("a method of RTSP", "PLAY / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        RefusedRequest("a method with a control character", "GE\u{01}T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a method that does not end", String(repeating: "A", count: 40), 501),
        RefusedRequest("a response", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        RefusedRequest("a proxy's header", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
        RefusedRequest("bytes of Modbus/TCP", "\0\u{01}\0\0\0\u{06}\u{01}\u{03}\0\0\0\u{01}"),
    ]

    static let targets = [
        RefusedRequest("a target with a line feed", "GET /a\nb HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a target with NUL", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a target with a space", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a target beyond ASCII", "GET /ü HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a target with a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a relative target", "GET index.html HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("the asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a URL that is not http", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a URL without a host", "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a URL with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a URL with another host", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        RefusedRequest("a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    ]

    static let hosts = [
        RefusedRequest("no host", "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
        RefusedRequest("two hosts", get("Host: a")),
        RefusedRequest("two different hosts", get("Host: b")),
        RefusedRequest("two hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        RefusedRequest("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        RefusedRequest("a host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        RefusedRequest("two hosts in one field", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ]

    static let chunkings = [
        RefusedRequest("a chunk size with 0x", chunks("0x1\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size with a plus", chunks("+1\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a negative chunk size", chunks("-1\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size that is no number", chunks("g\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size behind a space", chunks(" 1\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size before a space", chunks("1 \r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size beyond 64 bits", chunks("10000000000000001\r\na\r\n0\r\n\r\n")),
        RefusedRequest("no chunk size", chunks("\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a chunk size with an underscore", chunks("1_0\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a line feed alone behind a chunk size", chunks("1\na\r\n0\r\n\r\n")),
        RefusedRequest("a line feed alone behind a chunk", chunks("1\r\na\n0\r\n\r\n")),
        RefusedRequest("nothing behind a chunk", chunks("1\r\na0\r\n\r\n")),
        RefusedRequest("a chunk longer than its size", chunks("1\r\nab\r\n0\r\n\r\n")),
        RefusedRequest("a line feed alone in a chunk extension", chunks("1;a\nb\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a carriage return alone in a chunk extension", chunks("1;a\rb\r\na\r\n0\r\n\r\n")),
        RefusedRequest("a line feed alone behind the last chunk", chunks("0\n\r\n")),
        RefusedRequest("a line feed alone at the end", chunks("0\r\n\n")),
        RefusedRequest(
            "extensions without end",
            chunks("1;\(String(repeating: "x", count: 20_000))"),
            431
        ),
    ]

    static let trailers = [
        RefusedRequest("a length in a trailer", chunks("0\r\nContent-Length: 5\r\n\r\n")),
        RefusedRequest("a coding in a trailer", chunks("0\r\nTransfer-Encoding: chunked\r\n\r\n")),
        RefusedRequest("a host in a trailer", chunks("0\r\nHost: b\r\n\r\n")),
        RefusedRequest("a connection option in a trailer", chunks("0\r\nConnection: close\r\n\r\n")),
        RefusedRequest("credentials in a trailer", chunks("0\r\nAuthorization: Basic eDp5\r\n\r\n")),
        RefusedRequest("a trailer of spaces", chunks("0\r\nX:\(String(repeating: " ", count: 20_000))"), 431),
        RefusedRequest("a folded trailer", chunks("0\r\nX: a\r\n b\r\n\r\n")),
        RefusedRequest("a trailer with a space before its colon", chunks("0\r\nX : a\r\n\r\n")),
        RefusedRequest("a trailer with a line feed alone", chunks("0\r\nX: a\n\r\n")),
        RefusedRequest("a trailer without a name", chunks("0\r\n: a\r\n\r\n")),
        RefusedRequest("a request line as a trailer", chunks("0\r\nGET / HTTP/1.1\r\n\r\n")),
    ]

    static let asking = [
        RefusedRequest("an upgrade to WebSocket", get("Connection: Upgrade\r\nUpgrade: websocket"), 501),
        RefusedRequest("an upgrade to HTTP/2", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c"), 501),
        RefusedRequest("an unknown expectation", post("Content-Length: 5\r\nExpect: the-best"), 417),
        RefusedRequest("two expectations", post("Content-Length: 5\r\nExpect: 100-continue, x"), 417),
        RefusedRequest("a host as a connection option", get("Connection: host")),
        RefusedRequest("a length as a connection option", get("Connection: close, Content-Length")),
        RefusedRequest("a connection option with the sign for Kelvin", get("Connection: \u{212A}eep-alive")),
        RefusedRequest("a connection option that is no name", get("Connection: a b")),
    ]

    static let tooLarge = [
        RefusedRequest("a target over the limit", "GET /\(String(repeating: "a", count: 8192)) HTTP/1.1\r\n", 414),
        RefusedRequest("a field over the limit", get("X: \(String(repeating: "a", count: 16384))"), 431),
        RefusedRequest("a name over the limit", get("\(String(repeating: "a", count: 16384)): a"), 431),
        RefusedRequest("too many fields", get((0..<100).map { "X\($0): a" }.joined(separator: "\r\n")), 431),
        RefusedRequest("a body over the limit", post("Content-Length: 8388609"), 413),
        RefusedRequest(
            "a body over the limit that waits",
            post("Expect: 100-continue\r\nContent-Length: 8388609"),
            413
        ),
        RefusedRequest("a chunk over the limit", chunks("800001\r\n\(String(repeating: "a", count: 8_388_609))"), 413),
        RefusedRequest(
            "a trailer of spaces that does not end",
            chunks("0\r\nX:\(String(repeating: " ", count: 20000))"),
            431
        ),
        RefusedRequest("an extension that does not end", chunks("1;\(String(repeating: "a", count: 20000))"), 431),
        RefusedRequest("trailers over the limit", chunks("0\r\nX: \(String(repeating: "a", count: 16384))\r\n"), 431),
        RefusedRequest(
            "too many trailers",
            chunks("0\r\n\((0..<100).map { "X\($0): a\r\n" }.joined())\r\n"),
            431
        ),
    ]
}
