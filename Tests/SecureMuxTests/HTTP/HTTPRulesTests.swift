import MultiplexerCore
import NIOHTTP1
import Testing

@testable import SecureMux

/// What heads mean, decided without a connection.
@Suite struct HTTPRulesTests {
    @Test(arguments: [
        ("/", "GET", "/", nil), ("//a/b", "GET", "//a/b", nil), ("/a?b=//c", "POST", "/a?b=//c", nil),
        ("*", "OPTIONS", "*", nil), ("http://a", "GET", "/", "a"), ("http://a:1/b", "GET", "/b", "a:1"),
        ("HTTP://[::1]:80?b", "GET", "/?b", "[::1]:80"), ("http://a", "OPTIONS", "*", "a"),
        ("http://a/", "OPTIONS", "/", "a"),
    ])
    func `a target is a path and perhaps a host`(
        _ text: String,
        _ method: String,
        _ path: String,
        _ authority: String?
    ) throws {
        let target = try HTTPTarget(text, method: HTTPMethod(rawValue: method))
        #expect(target.path == path)
        #expect(target.authority == authority)
    }

    @Test(arguments: [
        "", "a", "*", "http://", "http:///a", "http://a b/", "http://a@b/", "https://a/", "/ü", "/a#b", "/\t",
    ])
    func `anything else is no target of GET`(_ text: String) {
        #expect(throws: HTTPViolation.self) { try HTTPTarget(text, method: .GET) }
    }

    @Test(arguments: ["a", "a.b:80", "[fe80::1%25eth0]:80", "192.0.2.1", "a_b", "%C3%BC"])
    func `a host may be a name or an address with or without a port`(_ text: String) {
        #expect(HTTPTarget.isAuthority(text))
    }

    @Test(arguments: ["", "a/b", "a b", "u@a", "a?b", "a#b", "ü", "a\\b", "a,b"])
    func `anything else is no host`(_ text: String) {
        #expect(!HTTPTarget.isAuthority(text))
    }

    @Test func `fields of the connection stay behind, the others keep order and case`() throws {
        let fields = try HTTPFields(
            HTTPHeaders([
                ("Z", "1"), ("connection", "a , ,KEEP-alive"), ("A", "gone"), ("Connection", "b"), ("z", "2"),
                ("B", "gone"), ("TE", "trailers"), ("Keep-Alive", "1"), ("Upgrade", "x"), ("ab", "3"),
            ])
        )
        #expect(fields.endToEnd.map { "\($0.name)=\($0.value)" } == ["Z=1", "z=2", "ab=3"])
        #expect(fields.connectionOptions == ["a", "b", "keep-alive"])
    }

    @Test(arguments: [
        (HTTPVersion.http1_1, "", true), (.http1_1, "close", false), (.http1_1, "keep-alive, close", false),
        (.http1_1, "closed", true), (.http1_0, "", false), (.http1_0, "keep-alive", true),
        (.http1_0, "keep-alive, close", false),
    ])
    func `a connection lasts as version and options say`(
        _ version: HTTPVersion,
        _ options: String,
        _ lasts: Bool
    ) throws {
        #expect(try HTTPFields(["Connection": options]).keepsAlive(version) == lasts)
    }

    @Test func `the end of a body is told from two fields`() throws {
        #expect(try HTTPBodyFraming([:], version: .http1_1) == nil)
        #expect(try HTTPBodyFraming(["content-length": "12"], version: .http1_0) == .length(12))
        #expect(try HTTPBodyFraming(["Transfer-Encoding": "CHUNKED"], version: .http1_1) == .chunked)
        #expect(try HTTPBodyFraming(["Content-Length": "999999999999999999"], version: .http1_1) != nil)
        for wrong in ["", "-1", "+1", "1 ", "0x1", "1,1", "٣", "9999999999999999999"] {
            #expect(throws: HTTPViolation.self) { try HTTPBodyFraming(["Content-Length": wrong], version: .http1_1) }
        }
    }
}
