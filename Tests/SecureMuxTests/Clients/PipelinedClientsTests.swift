import MultiplexerCore
import NIOCore
import SecureMux
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Clients that send requests ahead of their responses on a wire without transaction ids.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PipelinedClientsTests {
    // Trap T1: what was read behind a request is not lost.
    @Test func `lines that arrive together are answered in their order`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("one\ntwo\nthree\nfo".utf8))
            let link = try await device.connection()
            for line in ["one\n", "two\n", "three\n"] { try await link.answer(line) }
            try await client.send(Array("ur\n".utf8))
            try await link.answer("four\n")
            #expect(try await client.receive(19) == Array("ONE\nTWO\nTHREE\nFOUR\n".utf8))
        }
    }

    @Test func `a client that ended its sending is answered all that it sent before`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(Array("one\ntwo\nrest".utf8))
            let link = try await device.connection()
            try await client.channel.close(mode: .output)
            for line in ["one\n", "two\n"] { try await link.answer(line) }
            #expect(try await client.receiveToEnd() == Array("ONE\nTWO\n".utf8))
        }
    }

    @Test func `clients take turns however many lines one of them sends ahead`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let eager = try await TestPeer.connect(to: server.port)
            try await eager.send((0..<50).flatMap { Array("eager \($0)\n".utf8) })
            let link = try await device.connection()
            #expect(try await link.receive(8) == Array("eager 0\n".utf8))
            let modest = try await TestPeer.connect(to: server.port)
            try await modest.send(Array("modest\n".utf8))
            try await Task.sleep(for: .milliseconds(50))
            try await link.send(Array("0\n".utf8))
            // One line of the eager client at most comes before it.
            let next = try await link.receive(7)
            if next == Array("eager 1".utf8) {
                #expect(try await link.receive(1) == Array("\n".utf8))
                try await link.send(Array("1\n".utf8))
                #expect(try await link.receive(7) == Array("modest\n".utf8))
            } else {
                #expect(next == Array("modest\n".utf8))
            }
        }
    }

    // The next request is here already, so nothing is read; still its leaving is noticed and its requests are not sent.
    @Test func `a client that leaves takes what it sent ahead along`() async throws {
        try await withServer(protocol: .echo) { server, device in
            let leaving = try await TestPeer.connect(to: server.port)
            try await leaving.send(Array("one\ntwo\nthree\n".utf8))
            let link = try await device.connection()
            #expect(try await link.receive(4) == Array("one\n".utf8))
            try await leaving.reset()
            let other = try await TestPeer.connect(to: server.port)
            try await other.send(Array("other\n".utf8))
            try await eventually { try await server.server.statistics().requests == 2 }
            try await link.send(Array("ONE\n".utf8))
            try await link.answer("other\n")
            #expect(try await other.receive(6) == Array("OTHER\n".utf8))
        }
    }
}

extension TestPeer {
    /// Closes the connection without a farewell, as a program that dies with data unread does.
    fileprivate func reset() async throws {
        let socket = try #require(channel as? any SocketOptionProvider)
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await close()
    }

    /// Waits for this line, and answers with it in capitals.
    fileprivate func answer(_ line: String) async throws {
        #expect(try await receive(line.utf8.count) == Array(line.utf8))
        try await send(Array(line.uppercased().utf8))
    }
}
