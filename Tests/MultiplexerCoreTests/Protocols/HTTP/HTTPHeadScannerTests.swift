import MultiplexerCore
import Testing

@Suite struct HTTPHeadScannerTests {
    static let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "M-SEARCH * HTTP/1.1\r\nX:\r\nY: \t \u{80}ü\r\nZ:a:b\r\n\r\n", "a!#$%&'*+-.^_`|~ http://a/?b HTTP/1.1\r\n\r\n",
    ]
    static let responses = [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 404 \r\nX: a\r\n\r\n", "HTTP/1.1 999\r\n\r\n",
        "HTTP/1.1 200 Größe\tx\r\n\r\n", "HTTP/1.1 200 OK\nX: a\n\n", "HTTP/1.1 200\r\nX:\n\r\n",
        "HTTP/1.1 200\n\n", "HTTP/1.1 200 O\u{1}K\r\nX: \0\u{7F}\r\n\r\n",
    ]

    @Test(arguments: requests.map { ($0, Direction.request) } + responses.map { ($0, .response) })
    func `a head ends with its empty line wherever it is cut`(_ head: String, _ direction: Direction) throws {
        let head = Array(head.utf8)
        for cut in head.indices {
            var scanner = HTTPHeadScanner(direction)
            #expect(try scanner.scan(head[..<cut]) == nil)
            #expect(try scanner.scan(head + Array("body".utf8)) == head.count)
        }
        var scanner = HTTPHeadScanner(direction)
        for end in head.indices { #expect(try scanner.scan(head[..<end]) == nil) }
        #expect(try scanner.scan(head[...]) == head.count)
    }

    @Test func `a head is refused at the first wrong byte, not at its end`() {
        for (start, complaint) in [
            ("GET / HTTP/1.1\n", "a request line that does not end with HTTP/1.1"),
            ("GET / HTTP/1.1\r\nX: a\n", "a line feed without a carriage return"),
            ("GET / HTTP/1.1\r\nX: a\rb", "a carriage return without a line feed"),
            ("GET / HTTP/1.1\r\nX ", "a header field with white space in front of its colon"),
            ("GET / HTTP/1.1\r\n ", "a header line that begins with white space"),
            ("GET / HTTP/1.1\r\n:", "a header field without a name"),
            ("GET / HTTP/1.1\r\nX\r", "a header line without a colon"),
            ("GET / HTTP/1.1\r\n\r\r", "a carriage return without a line feed"),
            ("GET / HTTP/3.0\r", "HTTP/3.0, not HTTP/1.1 or HTTP/1.0"),
            ("GET /\r", "a request line without a version of HTTP"),
            ("\u{16}", "TLS instead of HTTP"),
        ] {
            let bytes = Array(start.utf8)
            var scanner = HTTPHeadScanner(.request)
            #expect(throws: Never.self) { try scanner.scan(bytes.dropLast()) }
            #expect(scanner.complaint(about: bytes)?.description == complaint)
        }
    }

    @Test func `a client is held to the letter where a device is not`() {
        for (start, complaint) in [
            ("GET / HTTP/1.1\r\nX: a\n", "a line feed without a carriage return"),
            ("GET / HTTP/1.1\r\n\n", "a header line without a colon"),
            ("GET / HTTP/1.1\r\nX: \0", "a control character in a header line"),
        ] {
            var scanner = HTTPHeadScanner(.request)
            #expect(scanner.complaint(about: Array(start.utf8))?.description == complaint)
        }
        for (start, complaint) in [
            ("HTTP/1.1 200 OK\nX\n", "a header line without a colon"),
            ("HTTP/1.1 200 OK\n b", "a header line that begins with white space"),
            ("HTTP/1.1 200 OK\nX: a\rb", "a carriage return without a line feed"),
            ("HTTP/1.1 200 OK\nX\0", "a header field whose name has a byte that names cannot have"),
            ("HTTP/1.1\n", "something other than HTTP/1.1"),
        ] {
            var scanner = HTTPHeadScanner(.response)
            #expect(scanner.complaint(about: Array(start.utf8))?.description == complaint)
        }
    }

    @Test func `whatever passes has whole line ends and no NUL, a device's when it is mended`() {
        for head in Self.requests + Self.responses {
            let direction = Self.requests.contains(head) ? Direction.request : .response
            for index in head.utf8.indices {
                for byte: UInt8 in [0, 1, 9, 10, 13, 16, 21, 22, 32, 33, 34, 47, 48, 58, 65, 126, 127, 128, 255] {
                    var bytes = Array(head.utf8)
                    bytes[head.utf8.distance(from: head.utf8.startIndex, to: index)] = byte
                    var scanner = HTTPHeadScanner(direction)
                    _ = scanner.complaint(about: bytes)
                    if case .some(.some(let length)) = try? HTTPHeadScanner.length(of: bytes, direction) {
                        var passed = bytes[..<length]
                        if direction == .response, let mended = HTTPDeviceHead(mending: Array(passed).span) {
                            passed = mended.bytes[...]
                            let length = try? HTTPHeadScanner.length(of: mended.bytes, .response)
                            #expect(length == mended.bytes.count)
                            #expect(HTTPDeviceHead(mending: mended.bytes.span) == nil)
                        }
                        #expect(!passed.contains(0))
                        for (before, at) in zip([0] + passed, passed) { #expect((at == 0x0A) == (before == 0x0D)) }
                    }
                }
            }
        }
    }

    @Test func `limits are checked before the head is whole`() {
        let limits = HTTPLimits(head: 64, target: 8, fields: 2)
        for (start, status) in [
            ("GET /12345678", 414), ("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 50))", 431),
            ("GET / HTTP/1.1\r\n\(String(repeating: "a", count: 50))", 431),
            ("GET / HTTP/1.1\r\nA:\r\nB:\r\nC", 431), (String(repeating: "A", count: 33), 501),
        ] {
            var scanner = HTTPHeadScanner(.request, limits: limits)
            #expect(scanner.complaint(about: Array(start.utf8))?.status == status)
        }
    }

    @Test func `nothing but an empty line is not yet a request`() throws {
        for (start, isAtBeginning) in [("", true), ("\r\n", true), ("\r", false), ("\r\nG", false), ("G", false)] {
            var scanner = HTTPHeadScanner(.request)
            _ = try scanner.scan(Array(start.utf8)[...])
            #expect(scanner.isAtBeginning == isAtBeginning)
        }
    }

    // A client that has spoken HTTP before does not begin to speak TLS.
    @Test(arguments: [true, false])
    func `a first byte of TLS is one only where a connection begins`(_ isFirst: Bool) {
        var scanner = HTTPHeadScanner(.request, isFirst: isFirst)
        var violation: HTTPViolation?
        do throws(HTTPViolation) {
            _ = try scanner.scan([0x16].span)
        } catch {
            violation = error
        }
        #expect((violation == .tls) == isFirst)
        #expect((violation?.status == 400) == !isFirst)
    }
}

extension HTTPHeadScanner {
    // Expectations cannot hold a span, so these take arrays.

    fileprivate mutating func scan(_ bytes: ArraySlice<UInt8>) throws -> Int? {
        let bytes = Array(bytes)
        return try scan(bytes.span)
    }

    fileprivate mutating func scan(_ bytes: [UInt8]) throws -> Int? { try scan(bytes.span) }

    fileprivate static func length(of bytes: [UInt8], _ direction: Direction) throws -> Int? {
        var scanner = HTTPHeadScanner(direction)
        return try scanner.scan(bytes)
    }

    fileprivate mutating func complaint(about bytes: [UInt8]) -> HTTPViolation? {
        do {
            _ = try scan(bytes.span)
            return nil
        } catch {
            return error
        }
    }
}
