import MultiplexerCore
import NIOCore
import Testing

@testable import SecureMux

#if canImport(Glibc)
    import Glibc
#endif

/// Requests that leave at the same time, where the device takes several.
@Suite(.timeLimit(.minutes(1))) struct SeparateRequestsTests {
    #if os(Linux)
        // Some devices read one request of each segment.
        @Test func `each request reaches the device in a segment of its own`() async throws {
            try await withServer(.patient { ($0.inFlightLimit, $0.sharesReads) = (9, false) }) { server, device in
                let client = try await TestPeer.connect(to: server.port)
                let requests = (0..<9).map { read(transaction: $0, unit: 1, address: $0, count: 1) }
                try await client.send(requests.flatMap(\.self))
                let link = try await device.connection()
                for _ in requests { _ = try await link.receiveFrame() }
                let socket = try #require(link.channel as? any SocketOptionProvider)
                // struct tcp_info, of which the 39th word counts the segments that came with data.
                let facts: InlineArray<40, UInt32> = try await socket.unsafeGetSocketOption(
                    level: .tcp,
                    name: .init(rawValue: TCP_INFO)
                ).get()
                #expect(facts[38] == 9)
            }
        }
    #endif

    @Test func `a write that meets a reset is sent on the next connection, as is the read beside it`() async throws {
        try await withServer(.patient { ($0.inFlightLimit, $0.sharesReads) = (2, false) }) { server, device in
            let client = try await TestPeer.connect(to: server.port)
            let reads = (0..<2).map { read(transaction: $0, unit: 1, address: $0, count: 1) }
            let write: [UInt8] = [1, 16, 0, 9, 0, 123, 246] + [UInt8](repeating: 7, count: 246)
            try await client.send(reads.flatMap(\.self) + [0, 2, 0, 0, 0, 253] + write)
            let link = try await device.connection()
            let first = try await link.receiveFrame()
            _ = try await link.receiveFrame()
            let socket = try #require(link.channel as? any SocketOptionProvider)
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            try await server.log.standingStill(atLineContaining: "debug sent") {
                try await link.send(answer(first, registers: [1]))
                try await Task.sleep(for: .milliseconds(100))
                try await link.close()
                try await Task.sleep(for: .milliseconds(100))
            }
            let next = try await device.connection(1)
            // What the device hung up on goes alone at first.
            let again = try await next.receiveFrame()
            #expect(again.dropFirst(6) == reads[1].dropFirst(6))
            try await next.send(answer(again, registers: [2]))
            #expect(try await next.receiveFrame().dropFirst(6) == write[...])
            #expect(try await server.server.statistics().sentAgain == 2)
        }
    }
}
