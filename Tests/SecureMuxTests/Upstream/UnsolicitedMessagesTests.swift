import MultiplexerCore
import SecureMux
import Testing

/// A host that begins exchanges itself, on a wire without transaction ids (trap T20).
@Suite(.timeLimit(.minutes(2))) struct UnsolicitedMessagesTests {
    private static func message(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }

    private let request = Self.message("0200 a")
    private let answer = Self.message("0210 a")
    private let other = Self.message("0210 b")
    private let echoTest = Self.message("0800 are you there?")
    private let heartbeat = Self.message("")

    @Test func `what the host begins is dropped wherever it stands, and the connection stays`() async throws {
        try await withServer(protocol: .iso8583) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let streams = [
                echoTest + answer, answer + echoTest, heartbeat + answer + heartbeat + echoTest,
                echoTest + echoTest + answer,
            ]
            for stream in streams {
                try await client.send(request)
                let link = try await device.connection()
                #expect(try await link.receive(request.count) == request)
                try await link.send(stream)
                #expect(try await client.receive(answer.count) == answer)
            }
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `the beginning of what the host begins may stand behind an answer`() async throws {
        try await withServer(protocol: .iso8583) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(request)
            let link = try await device.connection()
            #expect(try await link.receive(request.count) == request)
            try await link.send(answer + echoTest.prefix(3))
            #expect(try await client.receive(answer.count) == answer)
            try await client.send(request)
            #expect(try await link.receive(request.count) == request)
            try await link.send(Array(echoTest.dropFirst(3)) + answer)
            #expect(try await client.receive(answer.count) == answer)
            #expect(try await device.connections().all == 1)
        }
    }

    @Test func `of two answers at once neither is trusted`() async throws {
        try await withServer(protocol: .iso8583) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(request)
            let link = try await device.connection()
            #expect(try await link.receive(request.count) == request)
            try await link.send(other + echoTest + answer)
            #expect(try await client.receiveToEnd() == [])
            #expect(try await link.receiveToEnd() == [])
        }
    }

    @Test func `an answer that began before its request was sent answers nothing`() async throws {
        try await withServer(protocol: .iso8583) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(request)
            let link = try await device.connection()
            #expect(try await link.receive(request.count) == request)
            try await link.send(answer + other.prefix(3))
            #expect(try await client.receive(answer.count) == answer)
            try await client.send(request)
            #expect(try await link.receive(request.count) == request)
            try await link.send(Array(other.dropFirst(3)))
            #expect(try await client.receiveToEnd() == [])
            #expect(try await link.receiveToEnd() == [])
        }
    }
}
