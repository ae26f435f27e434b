import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

/// The times of clients that nobody looked after when they began to matter.
@Suite(.timeLimit(.minutes(2))) struct KeptBackRequestTests {
    @Test func `a deaf HTTP client is closed after the write timeout`() async throws {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(writeTimeout: .milliseconds(500))
        ) { server, device in
            let request = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            let size = 8 << 20
            let response =
                Array("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".utf8)
                + [UInt8](repeating: 0x61, count: size)
            let client = try await TestPeer.connect(to: server.port, reads: false)
            try await client.send(request)
            let link = try await device.connection()
            _ = try await link.receive(request.count)
            try await link.send(response)
            let start = ContinuousClock.now
            while server.lines(containing: "took nothing of its responses").isEmpty,
                ContinuousClock.now - start < .seconds(20)
            {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(!server.lines(containing: "took nothing of its responses").isEmpty)
            try? await client.close()
        }
    }

    @Test func `half a request after enough to pause reading costs its client the connection`() async throws {
        try await withServer(
            .patient { ($0.waitingLimit, $0.sharesReads) = (2, false) },
            limits: ClientLimits(requestTimeout: .milliseconds(300))
        ) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let requests = (0..<5).map { read(transaction: $0, unit: 1, address: $0, count: 1) }
            try await client.send(requests.flatMap(\.self) + requests[0].prefix(5))
            let link = try await device.connection()
            try await Task.sleep(for: .milliseconds(1000))
            for request in requests {
                try await link.send(answer(try await link.receiveFrame(), registers: [7]))
                #expect(try await client.receiveFrame() == answer(request, registers: [7]))
            }
            let start = ContinuousClock.now
            while server.lines(containing: "did not finish it within").isEmpty,
                ContinuousClock.now - start < .seconds(20)
            {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(!server.lines(containing: "did not finish it within").isEmpty)
        }
    }

    @Test func `half a request behind one that was held back costs its client the connection`() async throws {
        try await withServer(
            protocol: .echo,
            limits: ClientLimits(requestTimeout: .milliseconds(300))
        ) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("one\ntwo\nhal".utf8))
            let link = try await device.connection()
            try await Task.sleep(for: .milliseconds(1000))
            for text in ["one\n", "two\n"] {
                _ = try await link.receive(4)
                try await link.send(Array(text.utf8))
                #expect(try await client.receive(4) == Array(text.utf8))
            }
            let start = ContinuousClock.now
            while server.lines(containing: "did not finish it within").isEmpty,
                ContinuousClock.now - start < .seconds(20)
            {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(!server.lines(containing: "did not finish it within").isEmpty)
        }
    }

    @Test func `a half body that was held back until the response before costs its client the connection`() async throws
    {
        try await withServer(
            protocol: .http,
            limits: ClientLimits(requestTimeout: .milliseconds(300))
        ) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let first = Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8)
            let second = Array("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n".utf8)
            try await client.send(first + second)
            let link = try await device.connection()
            _ = try await link.receive(first.count)
            try await Task.sleep(for: .milliseconds(1000))
            try await link.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
            let start = ContinuousClock.now
            while server.lines(containing: "408").isEmpty, server.lines(containing: "client refused").isEmpty,
                server.lines(containing: "client closed").isEmpty, ContinuousClock.now - start < .seconds(20)
            {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(
                !server.lines(containing: "client ").filter { $0.contains("refused") || $0.contains("closed") }.isEmpty
            )
        }
    }
}
