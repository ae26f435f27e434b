import MultiplexerCore
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SecureMux

@Suite struct HTTPClientCodecRefusalTests {
    static let good = "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
    static let goodInChunks =
        "PUT /first HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\nX: a\r\n\r\n"

    @Test(arguments: RefusedRequest.all)
    func `a request that could be read in two ways gets its status and the connection ends`(
        _ refused: RefusedRequest
    ) throws {
        for pieces in [
            [Array(refused.bytes.utf8)], refused.bytes.utf8.count > 1 << 16 ? [] : refused.bytes.utf8.map { [$0] },
        ] {
            guard !pieces.isEmpty else { continue }
            let client = try ClientPipeline()
            client.send(pieces)
            client.send(Self.good)
            #expect(try client.requests() == [])
            let answer = client.output()
            #expect(answer.hasPrefix("HTTP/1.1 \(refused.status) "), "\(answer)")
            #expect(answer.contains("\r\nConnection: close\r\n"))
            #expect(answer.contains("\r\n\r\nthe client sent "))
            #expect(client.isHalfClosed)
            #expect(client.errors.count == 1 && client.errors.first is HTTPRefusal)
        }
    }

    @Test(arguments: RefusedRequest.all)
    func `a refusal waits behind the response to the request before it`(_ refused: RefusedRequest) throws {
        for first in [Self.good, Self.goodInChunks] {
            let client = try ClientPipeline()
            client.send(first + refused.bytes)
            #expect(try client.requests().map(\.target) == ["/first"])
            #expect(client.output() == "")
            #expect(client.errors.isEmpty && !client.isHalfClosed)
            client.respond(HTTPResponseRecord(status: 200, headers: [:], body: .init(string: "mine")))
            let answers = client.output()
            #expect(answers.hasPrefix("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmineHTTP/1.1 \(refused.status) "))
            #expect(client.errors.count == 1 && client.isHalfClosed)
        }
    }

    @Test func `a client that speaks TLS is not answered but named`() throws {
        let client = try ClientPipeline()
        client.send([[0x16, 0x03, 0x01, 0x02, 0x00]])
        #expect(client.output() == "")
        #expect(client.isHalfClosed)
        let refusal = try #require(client.errors.first as? HTTPRefusal)
        #expect(refusal.reason == "the client speaks TLS, this listener does not")
        #expect(refusal.remedy.description.contains("TLS listener"))
    }

    @Test(arguments: [
        "G", "GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
    ])
    func `a client that closes its sending side within a request is told so`(_ part: String) throws {
        let client = try ClientPipeline()
        client.send(part)
        client.endInput()
        #expect(client.output().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(try client.requests() == [])
        #expect(client.errors.count == 1)
    }

    @Test func `a client that closes its sending side between requests is told nothing`() throws {
        let client = try ClientPipeline()
        client.send(Self.good)
        client.endInput()
        #expect(client.hasEndedInput)
        #expect(client.output() == "" && client.errors.isEmpty)
    }

    @Test func `a refused client that closed its sending side still gets what it waits for`() throws {
        let client = try ClientPipeline()
        client.send(Self.good + "nonsense\r\n")
        client.endInput()
        // Or the handler behind would take the first response for the last.
        #expect(!client.hasEndedInput)
        client.respond(HTTPResponseRecord(status: 204, headers: [:]))
        #expect(client.output().hasPrefix("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 400 Bad Request\r\n"))
    }

    @Test(arguments: [
        "Transfer-Encoding: chunked\r\n\r\n1\r\nab", "Connection: upgrade\r\nUpgrade: x\r\n\r\n",
    ])
    func `a refusal has no body for HEAD`(_ rest: String) throws {
        let client = try ClientPipeline()
        client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\(rest)")
        let answer = client.output()
        #expect(answer.contains("\r\nContent-Length: ") && answer.hasSuffix("\r\n\r\n"))
    }

    @Test func `a value that is not UTF-8 is refused rather than changed`() throws {
        let client = try ClientPipeline()
        client.send([Array("GET / HTTP/1.1\r\nHost: a\r\nX: Gr".utf8) + [0xFC] + Array("n\r\n\r\n".utf8)])
        #expect(client.output().hasSuffix("the client sent a header field whose value is not UTF-8\n"))
    }

    @Test func `whoever does not take leave is closed after a while`() throws {
        let client = try ClientPipeline()
        client.send("nonsense\r\n")
        #expect(client.channel.isActive)
        client.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!client.channel.isActive)
    }
}
