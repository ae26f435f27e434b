import NIOCore
import SecureMux
import Testing

@Suite struct ReleaseTests {
    @Test func `a device that is released is left alone, and taken back when it is resumed`() async throws {
        try await withServer { server, device in
            let name = try #require(server.server.deviceNames.first)
            let client = try await TestPeer.connect(to: server.port)
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            let request = try await link.receiveFrame()
            try await server.server.release(name)
            // What is in flight is finished.
            try await link.send(answer(request, registers: [7]))
            #expect(try await client.receiveFrame().last == 7)
            try await link.channel.closeFuture.get()
            try await client.send(read(transaction: 2, unit: 1, address: 0, count: 1))
            #expect(try await client.receiveFrame() == [0, 2, 0, 0, 0, 3, 1, 0x83, 0x0A])
            #expect(try await device.connections().all == 1)

            try await server.server.resume(name)
            try await client.send(read(transaction: 3, unit: 1, address: 0, count: 1))
            let next = try await device.connection(1)
            try await next.send(answer(try await next.receiveFrame(), registers: [8]))
            #expect(try await client.receiveFrame().last == 8)
            try await eventually { server.log.lines.contains { $0.contains("the device is ours again") } }
            #expect(server.log.lines.contains { $0.contains("the device is left to somebody else") })
        }
    }

    @Test func `a time takes it back`() async throws {
        try await withServer { server, device in
            try await server.server.release(try #require(server.server.deviceNames.first), for: .milliseconds(50))
            let client = try await TestPeer.connect(to: server.port)
            try await eventually { server.log.lines.contains { $0.contains("the device is ours again") } }
            try await client.send(read(transaction: 1, unit: 1, address: 0, count: 1))
            let link = try await device.connection()
            try await link.send(answer(try await link.receiveFrame(), registers: [9]))
            #expect(try await client.receiveFrame().last == 9)
        }
    }

    @Test func `a device that there is not is named`() async throws {
        try await withServer { server, _ in
            let error = await #expect(throws: ServerError.self) { try await server.server.release("attic") }
            #expect(error?.description == "there is no device called attic")
        }
    }
}
