import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// HTTP through the whole transport on real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HTTPServerTests {
    @Test func `clients share one connection whatever they say about theirs`() async throws {
        try await withHTTPServer { port, device in
            // With nobody left the device's connection would end, too.
            let staying = try await TestPeer.connect(to: port)
            for version in ["HTTP/1.1", "HTTP/1.0", "HTTP/1.1"] {
                let client = try await TestPeer.connect(to: port)
                try await client.send("GET /a \(version)\r\nHost: h\r\nConnection: close\r\n\r\n")
                let link = try await device.connection()
                try await link.expect("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
                try await link.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                let answer = String(decoding: try await client.receiveToEnd(), as: UTF8.self)
                #expect(answer == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
            }
            #expect(try await device.connections().all == 1)
            try await staying.close()
        }
    }

    @Test func `a client is kept and a client that closes its sending side is answered`() async throws {
        try await withHTTPServer { port, device in
            let client = try await TestPeer.connect(to: port)
            for round in 1...3 {
                try await client.send("GET /\(round) HTTP/1.1\r\nHost: h\r\n\r\n")
                if round == 3 { try await client.channel.close(mode: .output) }
                let link = try await device.connection()
                try await link.expect("GET /\(round) HTTP/1.1\r\nHost: h\r\n\r\n")
                try await link.send("HTTP/1.1 204 No Content\r\n\r\n")
                try await client.expect("HTTP/1.1 204 No Content\r\n\r\n")
            }
            #expect(try await client.receiveToEnd() == [])
        }
    }

    @Test func `a client that sends many requests and then ends its sending gets all answers`() async throws {
        try await withHTTPServer { port, device in
            let client = try await TestPeer.connect(to: port)
            let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
            try await client.send(String(repeating: request, count: 500))
            try await client.channel.close(mode: .output)
            let link = try await device.connection()
            for _ in 0..<500 {
                try await link.expect(request)
                try await link.send("HTTP/1.1 204 No Content\r\n\r\n")
            }
            let answers = String(decoding: try await client.receiveToEnd(), as: UTF8.self)
            #expect(answers == String(repeating: "HTTP/1.1 204 No Content\r\n\r\n", count: 500))
        }
    }

    @Test func `a large body passes both ways`() async throws {
        try await withHTTPServer { port, device in
            let body = [UInt8]((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 2) })
            let client = try await TestPeer.connect(to: port)
            try await client.send(
                Array("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
            )
            let link = try await device.connection()
            try await link.expect("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.count)\r\n\r\n")
            #expect(try await link.receive(body.count) == body)
            let size = String(body.count, radix: 16)
            try await link.send(
                Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n".utf8) + body
                    + Array("\r\n0\r\n\r\n".utf8)
            )
            try await client.expect("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            #expect(try await client.receive(body.count) == body)
        }
    }

    @Test func `a response in doubt is 502 and the connection is replaced`() async throws {
        try await withHTTPServer { port, device in
            let client = try await TestPeer.connect(to: port)
            try await client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n")
            let link = try await device.connection()
            try await link.expect("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
            try await link.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok")
            try await client.expect("HTTP/1.1 502 Bad Gateway\r\n")
            #expect(try await link.receiveToEnd() == [])
        }
    }

    @Test func `a body that ends with the device's connection is whole`() async throws {
        try await withHTTPServer { port, device in
            let client = try await TestPeer.connect(to: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let link = try await device.connection()
            try await link.expect("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            try await link.send("HTTP/1.0 200 OK\r\n\r\nhello")
            try await link.close()
            try await client.expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        }
    }

    @Test func `while requests in doubt are refused nobody else notices`() async throws {
        try await withHTTPServer { port, device in
            let good = try await TestPeer.connect(to: port)
            for (index, refused) in RefusedRequest.all.enumerated() {
                let bad = try await TestPeer.connect(to: port)
                try await good.send("GET /\(index) HTTP/1.1\r\nHost: h\r\n\r\n")
                try await bad.send(refused.bytes)
                let link = try await device.connection()
                try await link.expect("GET /\(index) HTTP/1.1\r\nHost: h\r\n\r\n")
                try await link.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\(100 + index % 900)")
                try await good.expect("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\(100 + index % 900)")
                let answer = String(decoding: try await bad.receiveToEnd(), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 \(refused.status) "), "\(refused.testDescription): \(answer)")
                try await bad.close()
            }
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `a client may take its time with the last response`() async throws {
        try await withHTTPServer { port, device in
            let size = 6 << 20
            let client = try await TestPeer.connect(to: port)
            try await client.channel.setOption(.autoRead, value: false).get()
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let link = try await device.connection()
            try await link.expect("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            try await link.send(
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".utf8) + [UInt8](repeating: 7, count: size)
            )
            // Longer than a client may linger that has got everything.
            try await Task.sleep(for: .milliseconds(2500))
            try await client.channel.setOption(.autoRead, value: true).get()
            try await client.expect("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(size)\r\n\r\n")
            #expect(try await client.receiveToEnd().count == size)
        }
    }

    // Many small servers answer without reading the body, and then read it as the next request.
    @Test func `what stands in a body that the device leaves unread is answered to nobody`() async throws {
        try await withHTTPServer { port, device in
            let attacker = try await TestPeer.connect(to: port)
            let victim = try await TestPeer.connect(to: port)
            let smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
            try await attacker.send(
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)"
            )
            let link = try await device.connection()
            try await link.expect(
                "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: \(smuggled.utf8.count)\r\n\r\n\(smuggled)"
            )
            try await victim.send("GET /mine HTTP/1.1\r\nHost: h\r\n\r\n")
            try await link.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
            try await attacker.expect("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
            // The connection ends here; what the device makes of the body comes too late.
            #expect(try await link.receiveToEnd() == [])
            try? await link.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled")
            let next = try await device.connection(1)
            try await next.expect("GET /mine HTTP/1.1\r\nHost: h\r\n\r\n")
            try await next.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
            try await victim.expect("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine")
        }
    }

    @Test(arguments: ["Connection: close\r\n", ""])
    func `the last response of a client that has closed its side is whole`(_ field: String) async throws {
        try await withHTTPServer { port, device in
            let body = [UInt8](repeating: 0x61, count: 4 << 20)
            let client = try await TestPeer.connect(to: port)
            try await client.send("GET / HTTP/\(field.isEmpty ? "1.0" : "1.1")\r\nHost: h\r\n\(field)\r\n")
            try await client.channel.close(mode: .output)
            let link = try await device.connection()
            try await link.expect("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            try await link.send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
            try await client.expect("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: \(body.count)\r\n\r\n")
            #expect(try await client.receiveToEnd() == body)
        }
    }

    // To llhttp this is an upgrade, behind which it parses nothing more.
    @Test func `Proxy-Connection is no way around what is said of Connection`() async throws {
        try await withHTTPServer { port, _ in
            let client = try await TestPeer.connect(to: port)
            try await client.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\nProxy-Connection: upgrade\r\n\r\n")
            let answer = String(decoding: try await client.receiveToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 501 Not Implemented\r\n"))
        }
    }

    @Test func `a client that speaks TLS is sent away with a word in the log`() async throws {
        let log = RecordedLog()
        try await withHTTPServer(log) { port, _ in
            let client = try await TestPeer.connect(to: port)
            try await client.send([0x16, 0x03, 0x01, 0x00, 0xC8, 0x01])
            #expect(try await client.receiveToEnd() == [])
        }
        #expect(log.lines.contains { $0.contains("client refused") && $0.contains("the client speaks TLS") })
    }
}

extension TestPeer {
    fileprivate func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    fileprivate func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let received = String(decoding: try await receive(text.utf8.count), as: UTF8.self)
        #expect(received == text, sourceLocation: sourceLocation)
    }
}

private func withHTTPServer(
    _ log: RecordedLog = RecordedLog(),
    _ body: (Int, TestDevice) async throws -> Void
) async throws {
    let device = try await TestDevice.start()
    let server = try await Server.start(
        try ServerConfiguration(
            device: DeviceAddress(checked: "127.0.0.1", port: device.port),
            applicationProtocol: .http,
            listeners: [ListenerConfiguration(address: ListenAddress(checked: "127.0.0.1", port: 0))],
            multiplexer: .patient()
        ),
        logger: log.logger
    )
    do {
        try await body(server.addresses.first?.port ?? 0, device)
    } catch {
        await server.drain()
        throw error
    }
    await server.drain()
    try await device.stop()
}
