import MultiplexerCore
import Testing

@Suite struct HTTPDeviceHeadTests {
    private func mended(_ head: String) -> HTTPDeviceHead? { HTTPDeviceHead(mending: Array(head.utf8).span) }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\n\r\n"),
            ("HTTP/1.1 200\r\nX: a\nY:b\r\n\n", "HTTP/1.1 200\r\nX: a\r\nY:b\r\n\r\n"),
            ("HTTP/1.1 200 \0\r\nX: a\u{1F}\tb\u{7F}\r\n\r\n", "HTTP/1.1 200\r\nX: a \tb\r\n\r\n"),
            ("HTTP/1.1 200 \r\nX: a \t\r\nY: \r\n\r\n", "HTTP/1.1 200\r\nX: a\r\nY:\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nCONTENT-LENGTH:5\r\nX: \u{E4}\r\ntransfer-encoding: x\r\ncontent-length: 6\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: \u{E4}\r\ntransfer-encoding: x\r\n\r\n"
            ),
        ]
    )
    func `a head is mended where it could be read in two ways`(_ head: String, _ expected: String) throws {
        #expect(String(decoding: try #require(mended(head)).bytes, as: UTF8.self) == expected)
    }

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX:\t\u{E4}\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Content-Length: 5\r\nContent-Lengthy: 5\r\n\r\n",
        ]
    )
    func `a head that is beyond doubt stays as it is`(_ head: String) {
        #expect(mended(head)?.bytes == nil)
    }

    @Test func `a length is overruled by chunks alone`() throws {
        #expect(try #require(mended("HTTP/1.1 200 OK\nContent-Length: 5\n\n")).isLengthOverruled == false)
        let both = "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n\n"
        #expect(try #require(mended(both)).isLengthOverruled)
    }
}
