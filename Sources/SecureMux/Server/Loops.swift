import NIOCore
import NIOPosix

/// An event loop, and what belongs to it rather than to a device.
struct Loop: Sendable {
    let eventLoop: any EventLoop
    let resources: NIOLoopBound<TLSResources>
    /// The loop's own thread.
    fileprivate let group: MultiThreadedEventLoopGroup
}

/// The event loops of a server: one for each device, as long as there are processors for them.
///
/// They come with the devices, and stay.
struct Loops: Sendable {
    private(set) var all: [Loop] = []
    /// Takes the steps of TLS handshakes; nil as long as nobody speaks TLS.
    private(set) var handshakes: HandshakePool?

    /// How many descriptors a loop needs.
    static let descriptors = 3

    /// Makes loops until there are enough for so many devices.
    ///
    /// - Returns: The new ones.
    mutating func grow(for devices: Int) async throws -> [Loop] {
        let missing = max(min(devices, System.coreCount), 1) - all.count
        guard missing > 0 else { return [] }
        var new: [Loop] = []
        let handshakes = handshakes
        for _ in 0..<missing {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let eventLoop = group.next()
            let resources = try await eventLoop.submit {
                NIOLoopBound(TLSResources(eventLoop, handshakes), eventLoop: eventLoop)
            }.get()
            new.append(Loop(eventLoop: eventLoop, resources: resources, group: group))
        }
        all += new
        return new
    }

    /// Has handshakes taken by threads of their own from now on.
    mutating func speakTLS() async throws {
        guard handshakes == nil else { return }
        let pool = HandshakePool()
        handshakes = pool
        for loop in all { try await loop.eventLoop.submit { loop.resources.value.use(pool) }.get() }
    }

    /// The loop that has the fewest of these devices.
    func leastBusy(of tenants: some Sequence<Loop>) -> Loop? {
        let busy = Dictionary(grouping: tenants) { ObjectIdentifier($0.eventLoop) }
        return all.min {
            busy[ObjectIdentifier($0.eventLoop)]?.count ?? 0 < busy[ObjectIdentifier($1.eventLoop)]?.count ?? 0
        }
    }

    /// Ends all of them, and closes what is left there.
    func shutdown() async {
        // Before the loops, since a step that is being taken comes back to its own.
        await handshakes?.shutdown()
        for loop in all { try? await loop.group.shutdownGracefully() }
    }
}
