import NIOCore
import NIOPosix

/// A device on a real socket that does what the test says, and counts its connections.
final class TestDevice: Sendable {
    let port: Int
    private let listener: any Channel
    private let state: NIOLoopBound<State>

    private final class State {
        var peers: [TestPeer] = []
        var open = 0
        var mostOpen = 0
    }

    private init(_ listener: any Channel, _ state: NIOLoopBound<State>) {
        port = listener.localAddress?.port ?? 0
        self.listener = listener
        self.state = state
    }

    static func start(port: Int = 0) async throws -> TestDevice {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let state = try await loop.submit { NIOLoopBound(State(), eventLoop: loop) }.get()
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    state.value.peers.append(try TestPeer.adopt(channel))
                    state.value.open += 1
                    state.value.mostOpen = max(state.value.mostOpen, state.value.open)
                    channel.closeFuture.assumeIsolated().whenComplete { _ in state.value.open -= 1 }
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
        return TestDevice(listener, state)
    }

    /// Waits for the connection with this number, counted from 0.
    func connection(_ index: Int = 0, within limit: TimeAmount = .seconds(10)) async throws -> TestPeer {
        let state = state
        let deadline = NIODeadline.now() + limit
        while NIODeadline.now() < deadline {
            let peer = try await listener.eventLoop.submit {
                state.value.peers.indices.contains(index) ? state.value.peers[index] : nil
            }.get()
            if let peer { return peer }
            try await Task.sleep(for: .milliseconds(2))
        }
        throw TestTimeout()
    }

    /// How many connections there were, and how many at once.
    func connections() async throws -> (all: Int, mostAtOnce: Int) {
        let state = state
        return try await listener.eventLoop.submit { (state.value.peers.count, state.value.mostOpen) }.get()
    }

    /// Stops listening and drops every connection.
    func stop() async throws {
        try await listener.close()
        let state = state
        let peers = try await listener.eventLoop.submit { state.value.peers }.get()
        for peer in peers { try? await peer.channel.close() }
    }
}
