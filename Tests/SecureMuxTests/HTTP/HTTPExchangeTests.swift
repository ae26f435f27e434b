import MultiplexerCore
import NIOCore
import NIOHTTP1
import Testing

@testable import SecureMux

/// Requests from a client's bytes to the device's, and responses back.
@Suite struct HTTPExchangeTests {
    /// What a client sends and what the device gets of it.
    struct Passage: CustomTestStringConvertible {
        let testDescription: String
        let sent: String
        let passedOn: String

        init(_ description: String, _ sent: String, _ passedOn: String) {
            testDescription = description
            self.sent = sent
            self.passedOn = passedOn
        }
    }

    static let passages = [
        Passage(
            "fields in their order and case",
            "GET /a?b=c HTTP/1.1\r\nhOST: a:81\r\nZ: 1\r\nA:2\r\nz: \t3 \t\r\nEmpty:\r\nGerät-frei: ü\r\n\r\n"
                .replacing("Gerät-frei", with: "Text"),
            "GET /a?b=c HTTP/1.1\r\nhOST: a:81\r\nZ: 1\r\nA: 2\r\nz: 3\r\nEmpty: \r\nText: ü\r\n\r\n"
        ),
        Passage(
            "a length",
            "POST / HTTP/1.1\r\nContent-Length: 005\r\nHost: a\r\nContent-Type: x\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: x\r\nContent-Length: 5\r\n\r\nhello"
        ),
        Passage(
            "chunks become a length",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked \r\n\r\n1;x=y\r\nh\r\n04\r\nello\r\n0\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        ),
        Passage(
            "chunks stay chunks where there are trailers",
            "PUT / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "1\r\nh\r\n4\r\nello\r\n0\r\nX-Sum: 7 \r\nx-more:\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n0\r\nX-Sum: 7\r\nx-more: \r\n\r\n"
        ),
        Passage(
            "trailers without a body",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 7\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 7\r\n\r\n"
        ),
        Passage(
            "a body with empty lines and requests in it",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\n\r\n\r\nGET /x HTTP/1.1\r\n\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\n\r\n\r\nGET /x HTTP/1.1\r\n\n"
        ),
        Passage(
            "an empty body",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        ),
        Passage(
            "a POST that names no length",
            "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        ),
        Passage(
            "fields of the connection",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, TE\r\nX-Hop: 1\r\nx-hop: 2\r\nKeep-Alive: 5\r\n"
                + "Proxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\nUpgrade: h2c\r\nCookie: c\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: c\r\n\r\n"
        ),
        Passage(
            "HTTP/1.0 without a host",
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: device.test:80\r\n\r\n"
        ),
        Passage(
            "a URL",
            "GET HTTP://a:81/b?c HTTP/1.1\r\nHost: A:81\r\n\r\n",
            "GET /b?c HTTP/1.1\r\nHost: A:81\r\n\r\n"
        ),
        Passage(
            "a URL without a path",
            "GET http://a?c HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /?c HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        Passage("the asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        Passage(
            "OPTIONS for a URL without a path",
            "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        Passage("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n"),
        Passage("an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Passage("an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
        Passage("a rare method", "REPORT /a HTTP/1.1\r\nHost: a\r\n\r\n", "REPORT /a HTTP/1.1\r\nHost: a\r\n\r\n"),
        Passage("QUERY", "QUERY /a HTTP/1.1\r\nHost: a\r\n\r\n", "QUERY /a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    @Test(arguments: passages)
    func `a request reaches the device in its canonical form however it is cut`(_ passage: Passage) throws {
        for pieces in waysToCut(passage.sent) {
            let client = try ClientPipeline()
            client.send(pieces.dropLast())
            #expect(try client.requests() == [])
            client.send(pieces.suffix(1))
            let requests = try client.requests()
            #expect(requests.count == 1)
            #expect(client.errors.isEmpty && client.output() == "")
            let device = try DevicePipeline()
            for request in requests { device.request(request) }
            #expect(device.output() == passage.passedOn)
        }
    }

    // Trap T1: what follows a request belongs to the next one.
    @Test func `pipelined requests of every kind are told apart wherever they are cut`() throws {
        let keptAlive = Self.passages.filter { $0.testDescription != "fields of the connection" }
        let records = try keptAlive.map { passage in
            let client = try ClientPipeline()
            client.send(passage.sent)
            return try #require(try client.requests().first)
        }
        for pieces in waysToCut(keptAlive.map(\.sent).joined()) {
            let client = try ClientPipeline()
            client.send(pieces)
            #expect(try client.requests() == records)
        }
    }

    @Test(arguments: passages)
    func `what the device gets is read as what it was made of`(_ passage: Passage) throws {
        let (client, device, second) = (try ClientPipeline(), try DevicePipeline(), try ClientPipeline())
        client.send(passage.sent)
        for request in try client.requests() { device.request(request) }
        second.send(device.output())
        let again = try DevicePipeline()
        for request in try second.requests() { again.request(request) }
        #expect(again.output() == passage.passedOn)
    }

    @Test(arguments: [(1 << 20, 1 << 20), (1 << 20, 1000), (4096, 1)])
    func `a large body passes unchanged in chunks of any size`(_ length: Int, _ chunk: Int) throws {
        let body = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
        var chunks: [UInt8] = []
        for start in stride(from: 0, to: length, by: chunk) {
            let part = body[start..<min(start + chunk, length)]
            chunks += Array("\(String(part.count, radix: 16))\r\n".utf8) + part + [0x0D, 0x0A]
        }
        chunks += Array("0\r\n\r\n".utf8)
        let client = try ClientPipeline()
        client.send([Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n".utf8), body])
        client.send([Array("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)])
        client.send(
            stride(from: 0, to: chunks.count, by: 4096).map { Array(chunks[$0..<min($0 + 4096, chunks.count)]) }
        )
        #expect(try client.requests().map { $0.body == ByteBuffer(bytes: body) } == [true, true])
    }

    @Test func `body bytes beyond ASCII pass unchanged`() throws {
        let client = try ClientPipeline()
        let body = [UInt8](0...255)
        client.send([Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 256\r\n\r\n".utf8) + body])
        #expect(try client.requests().map { $0.body } == [ByteBuffer(bytes: body)])
    }

    /// A response as each kind of client gets it.
    struct Answer: CustomTestStringConvertible {
        let testDescription: String
        let record: HTTPResponseRecord
        let get: String
        var head: String
        var getInHTTP1_0: String
    }

    static let answers = [
        Answer(
            testDescription: "a body",
            record: HTTPResponseRecord(status: 200, headers: ["X": "a"], body: ByteBuffer(string: "hello")),
            get: "HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\nhello",
            head: "HTTP/1.1 200 OK\r\nX: a\r\nContent-Length: 5\r\n\r\n",
            getInHTTP1_0: "HTTP/1.1 200 OK\r\nX: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
        ),
        Answer(
            testDescription: "trailers",
            record: HTTPResponseRecord(
                status: 200,
                headers: ["Trailer": "X"],
                body: ByteBuffer(string: "hello"),
                trailers: ["X": "1"]
            ),
            get: "HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\r\n\r\n",
            head: "HTTP/1.1 200 OK\r\nTrailer: X\r\nContent-Length: 5\r\n\r\n",
            getInHTTP1_0: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
        ),
        Answer(
            testDescription: "a declared length",
            record: HTTPResponseRecord(status: 304, headers: [:], declaredLength: 7),
            get: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            head: "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
            getInHTTP1_0: "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Length: 7\r\n\r\n"
        ),
        Answer(
            testDescription: "no content",
            record: HTTPResponseRecord(status: 204, headers: [:]),
            get: "HTTP/1.1 204 No Content\r\n\r\n",
            head: "HTTP/1.1 204 No Content\r\n\r\n",
            getInHTTP1_0: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        ),
        Answer(
            testDescription: "an empty body, and the device's last response",
            record: HTTPResponseRecord(status: 299, headers: [:], body: ByteBuffer(), isLast: true),
            get: "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
            head: "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
            getInHTTP1_0: "HTTP/1.1 299 \r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        ),
    ]

    @Test(arguments: answers)
    func `a client gets a response in the form that it can read`(_ answer: Answer) throws {
        for (request, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer.get),
            ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", answer.head),
            ("GET / HTTP/1.0\r\n\r\n", answer.getInHTTP1_0),
        ] {
            let client = try ClientPipeline()
            client.send(request)
            client.respond(answer.record)
            #expect(client.output() == expected)
            #expect(client.isHalfClosed == expected.contains("Connection: close"))
        }
    }

    @Test(arguments: Failure.allCases)
    func `a request that failed is answered with a status and words`(_ failure: Failure) throws {
        let status =
            switch failure {
            case .unreachable, .connectionLost, .heldBack: "502 Bad Gateway"
            case .unanswered: "504 Gateway Timeout"
            case .expired, .draining: "503 Service Unavailable"
            }
        let client = try ClientPipeline()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.fail(failure)
        let answer = client.output()
        #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\n"))
        // Only who shuts down must send its clients away.
        #expect(answer.contains("Connection: close") == (failure == .draining))
        #expect(client.isHalfClosed == (failure == .draining))
        let words = try #require(answer.components(separatedBy: "\r\n\r\n").last)
        #expect(
            words.contains(" ") && words.hasSuffix("\n") && answer.contains("Content-Length: \(words.utf8.count)\r\n")
        )
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
