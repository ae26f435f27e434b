import MultiplexerCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SecureMux

@Suite struct HTTPDeviceCodecTests {
    /// What a device may answer to a request of some method, and the record that comes of it.
    struct Exchange: CustomTestStringConvertible {
        let testDescription: String
        var method = HTTPMethod.GET
        let response: String
        var endsWithConnection = false
        let record: HTTPResponseRecord
    }

    static let exchanges = [
        Exchange(
            testDescription: "a length",
            response: "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nX-Case: A b \r\n\r\nhello",
            record: HTTPResponseRecord(
                status: 200,
                headers: ["Server": "x", "X-Case": "A b"],
                body: ByteBuffer(string: "hello")
            )
        ),
        Exchange(
            testDescription: "no body",
            response: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            record: HTTPResponseRecord(status: 404, headers: [:], body: ByteBuffer())
        ),
        Exchange(
            testDescription: "no reason phrase, a status of the device's own",
            response: "HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n",
            record: HTTPResponseRecord(status: 299, headers: [:], body: ByteBuffer())
        ),
        Exchange(
            testDescription: "chunks with extensions and trailers",
            response: "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3;a=b\r\nhel\r\n02\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n",
            record: HTTPResponseRecord(
                status: 200,
                headers: ["Trailer": "X-Sum"],
                body: ByteBuffer(string: "hello"),
                trailers: ["X-Sum": "1"]
            )
        ),
        Exchange(
            testDescription: "chunks that look like a response",
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n13\r\nHTTP/1.1 200 OK\r\n\r\n\r\n0\r\n\r\n",
            record: HTTPResponseRecord(
                status: 200,
                headers: [:],
                body: ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n")
            )
        ),
        Exchange(
            testDescription: "a body that ends with the connection",
            response: "HTTP/1.1 200 OK\r\n\r\nhello\r\n",
            endsWithConnection: true,
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "hello\r\n"), isLast: true)
        ),
        Exchange(
            testDescription: "HTTP/1.0",
            response: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"), isLast: true)
        ),
        Exchange(
            testDescription: "HTTP/1.0 with keep-alive",
            response:
                "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok",
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"))
        ),
        Exchange(
            testDescription: "fields of the connection",
            response: "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nProxy-Connection: close\r\n"
                + "Upgrade: h2c\r\nx-hop: 2\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n",
            record: HTTPResponseRecord(
                status: 200,
                headers: HTTPHeaders([("Set-Cookie", "a=1"), ("set-cookie", "b=2")]),
                body: ByteBuffer(),
                isLast: true
            )
        ),
        Exchange(
            testDescription: "HEAD",
            method: .HEAD,
            response: "HTTP/1.1 200 OK\r\nContent-Length: 123456789\r\n\r\n",
            record: HTTPResponseRecord(status: 200, headers: [:], declaredLength: 123_456_789)
        ),
        Exchange(
            testDescription: "HEAD of something chunked",
            method: .HEAD,
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            record: HTTPResponseRecord(status: 200, headers: [:])
        ),
        Exchange(
            testDescription: "304 with a length",
            response: "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n",
            record: HTTPResponseRecord(status: 304, headers: ["ETag": "\"x\""], declaredLength: 5)
        ),
        Exchange(
            testDescription: "204",
            response: "HTTP/1.1 204 No Content\r\n\r\n",
            record: HTTPResponseRecord(status: 204, headers: [:])
        ),
        Exchange(
            testDescription: "interim responses",
            response: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"))
        ),
        Exchange(
            testDescription: "line feeds alone",
            response: "HTTP/1.1 200 OK\nServer: x\nContent-Length: 5\n\nhe\nlo",
            record: HTTPResponseRecord(status: 200, headers: ["Server": "x"], body: ByteBuffer(string: "he\nlo"))
        ),
        Exchange(
            testDescription: "line feeds alone and not, and no reason phrase",
            response: "HTTP/1.1 200\nServer: x\r\nContent-Length: 2\n\r\nok",
            record: HTTPResponseRecord(status: 200, headers: ["Server": "x"], body: ByteBuffer(string: "ok"))
        ),
        Exchange(
            testDescription: "line feeds alone in interim responses and before chunks",
            response: "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\n\r\n",
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"))
        ),
        Exchange(
            testDescription: "control characters",
            response: "HTTP/1.1 200 O\u{7F}K\r\nServer: \u{1}a\0b\u{7F}\0\r\nX:\0\r\nContent-Length: 2\0\r\n\r\nok",
            record: HTTPResponseRecord(
                status: 200,
                headers: ["Server": "a b", "X": ""],
                body: ByteBuffer(string: "ok")
            )
        ),
        Exchange(
            testDescription: "chunks with a tab behind their name",
            response: "HTTP/1.1 200 OK\r\nTransfer-Encoding:\tchunked \t\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            record: HTTPResponseRecord(status: 200, headers: [:], body: ByteBuffer(string: "ok"))
        ),
        Exchange(
            testDescription: "a length beside chunks",
            response: "HTTP/1.1 200 OK\r\ncontent-length: 99\r\nTransfer-Encoding: chunked\r\nServer: x\r\n"
                + "Content-Length: many\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            record: HTTPResponseRecord(
                status: 200,
                headers: ["Server": "x"],
                body: ByteBuffer(string: "ok"),
                isLast: true
            )
        ),
        Exchange(
            testDescription: "HEAD of something with a length beside chunks",
            method: .HEAD,
            response: "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5\n\n",
            record: HTTPResponseRecord(status: 200, headers: [:], isLast: true)
        ),
    ]

    @Test(arguments: exchanges)
    func `a response is whole however it is cut`(_ exchange: Exchange) throws {
        for pieces in waysToCut(exchange.response) {
            let device = try DevicePipeline()
            device.ask(exchange.method)
            device.send(pieces.dropLast())
            #expect(try device.responses() == [])
            device.send(pieces.suffix(1))
            if exchange.endsWithConnection {
                #expect(try device.responses() == [])
                device.endInput()
            }
            #expect(try device.responses() == [exchange.record])
            #expect(device.complaints == [])
        }
    }

    @Test func `one connection serves many requests of every kind`() throws {
        let device = try DevicePipeline()
        for exchange in Self.exchanges where !exchange.record.isLast {
            device.ask(exchange.method)
            device.send(exchange.response)
            #expect(try device.responses() == [exchange.record])
        }
        #expect(device.complaints == [])
    }

    /// What no device may answer to a GET, and the words for it behind "the device sent ".
    struct Ambiguous: CustomTestStringConvertible {
        let testDescription: String
        let response: String
        let complaint: String

        init(_ description: String, _ response: String, _ complaint: String) {
            testDescription = description
            self.response = response
            self.complaint = complaint
        }
    }

    private static func ok(_ lines: String, _ body: String = "") -> String {
        "HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n\(body)"
    }

    static let ambiguous = [
        Ambiguous("two lengths", ok("Content-Length: 5\r\nContent-Length: 5", "hello"), "more than one Content-Length"),
        Ambiguous("a list of lengths", ok("Content-Length: 5, 5", "hello"), "a Content-Length that is not a number"),
        Ambiguous("a negative length", ok("Content-Length: -1"), "a Content-Length that is not a number"),
        Ambiguous(
            "a length beyond 64 bits",
            ok("Content-Length: 18446744073709551617"),
            "a Content-Length that is not"
        ),
        Ambiguous(
            "a length beside gzip",
            ok("Content-Length: 1\r\nTransfer-Encoding: gzip", "x"),
            "a Transfer-Encoding other than chunked"
        ),
        Ambiguous(
            "a length beside chunks that are none",
            ok("Content-Length: 5\r\nTransfer-Encoding: chunked", "hello"),
            "a chunk whose size is not a number"
        ),
        Ambiguous(
            "a length beside chunks in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding in HTTP/1.0"
        ),
        Ambiguous("gzip", ok("Transfer-Encoding: gzip", "x"), "a Transfer-Encoding other than chunked"),
        Ambiguous("chunked, gzip", ok("Transfer-Encoding: chunked, gzip", "0\r\n\r\n"), "a Transfer-Encoding other"),
        Ambiguous("gzip, chunked", ok("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), "a Transfer-Encoding other"),
        Ambiguous(
            "chunked with the sign for Kelvin",
            ok("Transfer-Encoding: chun\u{212A}ed", "0\r\n\r\n"),
            "a Transfer"
        ),
        Ambiguous("an empty coding", ok("Transfer-Encoding:", "x"), "a Transfer-Encoding other than chunked"),
        Ambiguous(
            "chunks in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding in HTTP/1.0"
        ),
        Ambiguous("a chunk size that is no number", ok("Transfer-Encoding: chunked", "x\r\n"), "a chunk whose size"),
        Ambiguous(
            "a chunk longer than its size",
            ok("Transfer-Encoding: chunked", "1\r\nab\r\n"),
            "a chunk that does not"
        ),
        Ambiguous(
            "a length in a trailer",
            ok("Transfer-Encoding: chunked", "0\r\nContent-Length: 1\r\n\r\n"),
            "a trailer"
        ),
        Ambiguous(
            "a cookie in a trailer",
            ok("Transfer-Encoding: chunked", "0\r\nSet-Cookie: a=b\r\n\r\n"),
            "a trailer"
        ),
        Ambiguous("a folded line", ok("X: a\r\n b\r\nContent-Length: 0"), "a header line that begins with white space"),
        Ambiguous("a carriage return alone", ok("X: a\rContent-Length: 0"), "a carriage return without a line feed"),
        Ambiguous(
            "line feeds alone around chunks",
            "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nok\n0\n\n",
            "a chunk that does not end where it should, with CR LF"
        ),
        Ambiguous("a space before a colon", ok("Content-Length : 0"), "a header field with white space in front"),
        Ambiguous("NUL in a name", ok("X\0: a\r\nContent-Length: 0"), "a header field whose name has a byte"),
        Ambiguous("NUL in a length", ok("Content-Length: 1\u{0}1", "a"), "a Content-Length that is not a number"),
        Ambiguous("NUL in a coding", ok("Transfer-Encoding: chun\0ked", "0\r\n\r\n"), "a Transfer-Encoding other"),
        Ambiguous(
            "NUL between options of the connection",
            ok("Connection: close\0X\r\nContent-Length: 0"),
            "a Connection field with something other than names in it"
        ),
        Ambiguous("a line without a colon", ok("X\r\nContent-Length: 0"), "a header line without a colon"),
        Ambiguous("a body longer than its length", ok("Content-Length: 1", "ab"), "more than it was asked for"),
        Ambiguous(
            "two responses",
            ok("Content-Length: 0") + ok("Content-Length: 0"),
            "more than it was asked for"
        ),
        Ambiguous("a line feed behind the body", ok("Content-Length: 1", "a\n"), "more than it was asked for"),
        Ambiguous(
            "a body in 204",
            "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\na",
            "more than it was asked for"
        ),
        Ambiguous("a body in 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\na", "more than it was asked"),
        Ambiguous(
            "101",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
            "101 Switching Protocols"
        ),
        Ambiguous(
            "a length in 100",
            "HTTP/1.1 100 Continue\r\nContent-Length: 5, 5\r\n\r\n",
            "a Content-Length that is"
        ),
        Ambiguous("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "a status that is not a number"),
        Ambiguous("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "a status that is not a number"),
        Ambiguous("status 0", "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", "a status that is not a number"),
        Ambiguous("HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.2, not"),
        Ambiguous("HTTP/2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/2.0, not"),
        Ambiguous("HTTP/0.9", "hello\r\n", "something other than HTTP/1.1"),
        Ambiguous("ICY", "ICY 200 OK\r\n\r\n", "something other than HTTP/1.1"),
        Ambiguous("RTSP", "RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "something other than HTTP/1.1"),
        Ambiguous("an empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "something other than"),
        Ambiguous("TLS", "\u{15}\u{03}\u{03}\0\u{02}", "TLS instead of HTTP"),
        Ambiguous("a body over the limit", ok("Content-Length: 8388609"), "a body longer than 8388608 bytes"),
        Ambiguous(
            "a head over the limit",
            ok("X: \(String(repeating: "a", count: 16384))"),
            "a head longer than 16384"
        ),
        Ambiguous(
            "too many fields",
            ok((0...100).map { "X\($0): a" }.joined(separator: "\r\n")),
            "more than 100 header"
        ),
    ]

    @Test(arguments: ambiguous)
    func `a response that could be read in two ways is not passed on`(_ ambiguous: Ambiguous) throws {
        let device = try DevicePipeline()
        device.ask()
        device.send(ambiguous.response)
        #expect(try device.responses() == [])
        let complaint = try #require(device.complaints.first)
        #expect(complaint.hasPrefix("the device sent \(ambiguous.complaint)"), "\(complaint)")
        // What follows is not to be trusted either.
        device.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        device.endInput()
        #expect(try device.responses() == [])
    }

    @Test(arguments: ambiguous)
    func `nor is it passed on byte by byte`(_ ambiguous: Ambiguous) throws {
        let device = try DevicePipeline()
        device.ask()
        device.send(ambiguous.response.utf8.map { [$0] })
        // Extra bytes can only be told from the response when they come with it.
        if ambiguous.complaint.hasPrefix("more than it was asked") {
            #expect(try device.responses().count == 1)
        } else {
            #expect(try device.responses() == [])
        }
        #expect(!device.complaints.isEmpty)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1",
    ])
    func `a response that is cut short is not passed on`(_ part: String) throws {
        let device = try DevicePipeline()
        device.ask()
        device.send(part)
        device.endInput()
        #expect(try device.responses() == [])
        #expect(device.complaints == ["the device sent only a part of a message before it closed the connection"])
    }

    @Test func `a body that should end with the connection does not end with a reset`() throws {
        let device = try DevicePipeline()
        device.ask()
        device.send("HTTP/1.1 200 OK\r\n\r\nhel")
        device.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        device.endInput()
        #expect(try device.responses() == [])
    }

    @Test func `a response that is complete stands though the connection is reset behind it`() throws {
        let device = try DevicePipeline()
        device.ask()
        device.channel.pipeline.fireChannelRead(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        device.channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        #expect(try device.responses().count == 1)
    }

    @Test func `a body that should end with the connection does not end when we close it`() throws {
        let device = try DevicePipeline()
        device.ask()
        device.send("HTTP/1.1 200 OK\r\n\r\nhel")
        device.channel.close(promise: nil)
        #expect(try device.responses() == [])
    }

    @Test func `a body without a length ends at the limit`() throws {
        let device = try DevicePipeline(limits: HTTPLimits(body: 10))
        device.ask()
        device.send("HTTP/1.1 200 OK\r\n\r\n0123456789")
        #expect(device.complaints == [])
        device.send("a")
        #expect(device.complaints == ["the device sent a body longer than 10 bytes"])
    }

    @Test func `an unsolicited message of a device ends the connection`() throws {
        let device = try DevicePipeline()
        device.send("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        #expect(device.complaints == ["the device sent more than it was asked for"])
        #expect(try device.responses() == [])
    }

    // Trap T1: many bytes behind a response must not become the next one.
    @Test func `a response that came early does not answer the next request`() throws {
        let device = try DevicePipeline()
        device.ask()
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
        device.channel.pipeline.fireChannelRead(ByteBuffer(string: response + "a"))
        device.channel.pipeline.fireChannelRead(ByteBuffer(string: response + "b"))
        device.channel.pipeline.fireChannelReadComplete()
        #expect(try device.responses() == [])
        #expect(device.complaints == ["the device sent more than it was asked for"])
    }

    // Otherwise the next request would be sent into a connection whose end is here, and be lost.
    @Test func `an end that is here with a response is told before another request is asked for`() throws {
        let device = try DevicePipeline()
        device.ask()
        device.channel.pipeline.fireChannelRead(ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"))
        device.channel.pipeline.fireChannelReadComplete()
        #expect(try device.responses() == [])
        device.endInput()
        #expect(try device.responses().count == 1)
        device.channel.embeddedEventLoop.run()
        #expect(try device.responses() == [])
    }

    @Test(arguments: [("", false), ("abc", true)])
    func `a request with a body is the last on its connection`(_ body: String, _ isLast: Bool) throws {
        let device = try DevicePipeline()
        let headers: HTTPHeaders = ["Host": "a"]
        device.request(
            HTTPRequestRecord(method: .POST, target: "/", headers: headers, body: ByteBuffer(string: body))
        )
        _ = device.output()
        device.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(try device.responses().map(\.isLast) == [isLast])
    }

    @Test func `a body that ends with a connection that failed before the request was written is no body`() throws {
        let device = try DevicePipeline()
        device.channel.isWritable = false
        let record = HTTPRequestRecord(method: .GET, target: "/", headers: ["Host": "a"])
        // Written, but not flushed: the system has not taken it.
        device.channel.write(record.frame, promise: nil)
        device.send("HTTP/1.1 200 OK\r\n\r\nhalf")
        device.endInput()
        #expect(try device.responses() == [])
        // An embedded channel keeps what was never flushed.
        device.channel.flush()
    }
}
