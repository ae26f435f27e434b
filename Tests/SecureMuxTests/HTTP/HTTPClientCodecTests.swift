import MultiplexerCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SecureMux

/// What a client's connection goes through beside its messages: keeping it, pipelining, waiting to continue.
@Suite struct HTTPClientCodecTests {
    static let ok = HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"))

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x, Close\r\n", false),
        ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ])
    func `a connection is kept as its client asks`(_ version: String, _ line: String, _ keepsAlive: Bool) throws {
        let client = try ClientPipeline()
        let request = "GET / \(version)\r\nHost: a\r\n\(line)\r\n"
        client.send(request + request)
        // Behind the last request nothing is read.
        #expect(try client.requests().count == (keepsAlive ? 2 : 1))
        #expect(!client.isHalfClosed)
        client.respond(Self.ok)
        #expect(client.isHalfClosed == !keepsAlive)
        let answer = client.output()
        #expect(answer.contains("Connection: close") == !keepsAlive)
        #expect(answer.contains("Connection: keep-alive") == (keepsAlive && version == "HTTP/1.0"))
        // Sent away as it asked, it is no one's fault.
        #expect(client.errors.isEmpty)
    }

    @Test func `a client that asked for the end is closed once it has closed its side`() throws {
        let client = try ClientPipeline()
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.respond(Self.ok)
        #expect(client.channel.isActive)
        client.endInput()
        #expect(!client.channel.isActive)
    }

    @Test func `what a client sends behind its last request is thrown away`() throws {
        let client = try ClientPipeline()
        client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.send("nonsense\r\n\r\n")
        client.respond(Self.ok)
        client.send("more nonsense")
        #expect(try client.requests().count == 1)
        #expect(client.output().hasSuffix("\r\n\r\nok"))
        #expect(client.errors.isEmpty)
    }

    @Test func `pipelined requests get their responses in order, each in its own form`() throws {
        let client = try ClientPipeline()
        client.send(
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                + "GET /3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        #expect(try client.requests().map(\.target) == ["/1", "/2", "/3", "/4"])
        for _ in 1...2 { client.respond(Self.ok) }
        client.fail(.unanswered)
        client.respond(Self.ok)
        let answers = client.output()
        #expect(
            answers.hasPrefix(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP/1.1 504 "
            )
        )
        #expect(answers.hasSuffix("the device did not answer in time\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    }

    // Whoever sends thousands and leaves would otherwise keep the loop busy with requests that nobody wants.
    @Test func `only some of very many pipelined requests are parsed before the first ones are answered`() throws {
        let client = try ClientPipeline()
        let requests = (0..<1000).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }
        client.send(requests.joined() + "GET /rest")
        client.endInput()
        var targets = try client.requests().map(\.target)
        #expect(targets.count == 32)
        #expect(!client.hasEndedInput)
        var answered = 0
        while answered < targets.count {
            client.respond(Self.ok)
            answered += 1
            guard answered == targets.count else { continue }
            client.channel.read()
            client.channel.embeddedEventLoop.run()
            targets += try client.requests().map(\.target)
        }
        #expect(targets == (0..<1000).map { "/\($0)" })
        // What was left of a request when the client ended its sending is refused, behind all answers.
        let output = client.output()
        #expect(output.ranges(of: "HTTP/1.1 200 OK").count == 1000)
        #expect(output.ranges(of: "HTTP/1.1 400 Bad Request").count == 1)
        #expect(client.errors.count == 1)
    }

    @Test func `the end of the input comes behind the last of very many pipelined requests`() throws {
        let client = try ClientPipeline()
        client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: 40))
        client.endInput()
        for _ in 0..<32 { client.respond(Self.ok) }
        #expect(!client.hasEndedInput)
        client.channel.read()
        #expect(try client.requests().count == 32, "not inside the call")
        client.channel.embeddedEventLoop.run()
        #expect(try client.requests().count == 8)
        #expect(client.hasEndedInput)
    }

    @Test func `a client that waits to continue is told to at once`() throws {
        let client = try ClientPipeline()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        #expect(client.output() == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hi")
        let requests = try client.requests()
        #expect(requests.map { $0.body } == [ByteBuffer(string: "hi")])
        #expect(requests.first?.headers.contains(name: "expect") == false)
        client.respond(Self.ok)
        #expect(client.output().hasPrefix("HTTP/1.1 200 OK"))
    }

    @Test func `a client that waits to continue first gets the responses before`() throws {
        let client = try ClientPipeline()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(client.output() == "")
        client.respond(Self.ok)
        #expect(client.output().hasSuffix("\r\n\r\nokHTTP/1.1 100 Continue\r\n\r\n"))
        client.send("2\r\nhi\r\n0\r\n\r\n")
        #expect(try client.requests().count == 2)
    }

    @Test(arguments: [
        // It does not wait.
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
        // There is nothing to wait for.
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        // HTTP/1.0 does not know the answer.
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    ])
    func `a client that need not wait is answered once`(_ request: String) throws {
        let client = try ClientPipeline()
        // Behind another request, so that nothing is out of its way at once.
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + request)
        client.respond(Self.ok)
        client.respond(Self.ok)
        #expect(try client.requests().allSatisfy { !$0.headers.contains(name: "expect") })
        #expect(!client.output().contains("100 Continue"))
    }

    @Test func `an empty write only tells when the writes before it are done`() throws {
        let client = try ClientPipeline()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.respond(Self.ok)
        try client.channel.writeAndFlush(ByteBuffer()).wait()
        #expect(client.output() == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }

    @Test func `a response to nobody's request closes the connection`() throws {
        let client = try ClientPipeline()
        client.respond(Self.ok)
        #expect(client.output() == "")
        #expect(!client.channel.isActive)
    }

    @Test func `chunks may be as small as can be but must not be mostly extensions`() throws {
        let head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let client = try ClientPipeline(limits: HTTPLimits(head: 100))
        client.send(head + String(repeating: "1\r\na\r\n", count: 1000) + "0\r\n\r\n")
        #expect(try client.requests().map { $0.body?.readableBytes } == [1000])
        client.respond(Self.ok)
        client.send(head)
        for _ in 0..<100 { client.send("1;ab=cd\r\na\r\n") }
        #expect(try client.requests() == [])
        #expect(client.errors.map { ($0 as? HTTPRefusal)?.violation.status } == [431])
    }

    @Test func `limits are the listener's`() throws {
        let limits = HTTPLimits(head: 100, target: 10, fields: 2, body: 4)
        for (request, status) in [
            ("GET /123456789 HTTP/1.1\r\nHost: a\r\n\r\n", 0), ("GET /1234567890 HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\r\n", 0),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\nY: b\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\nHost: \(String(repeating: "a", count: 74))\r\n\r\n", 0),
            ("GET / HTTP/1.1\r\nHost: \(String(repeating: "a", count: 75))\r\n\r\n", 431),
            ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n1234", 0),
            ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 413),
            ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\n\r\n", 0),
            ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n1\r\na", 413),
        ] {
            let client = try ClientPipeline(limits: limits)
            client.send(request)
            #expect(try client.requests().count == (status == 0 ? 1 : 0), "\(request)")
            #expect(client.output().hasPrefix(status == 0 ? "" : "HTTP/1.1 \(status) "))
            #expect(client.isHalfClosed == (status != 0))
        }
    }
}
